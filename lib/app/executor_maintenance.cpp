// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/executor_maintenance.hpp"

#include <functional>
#include <utility>

#include "lib/app/executor_maintenance_shared.hpp"
#include "lib/app/moving.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration clean_up_time{30'000};

/// Looking and cleaning may have to open connections of their own.
Duration look_time(const Policy& policy) {
    return policy.observe_time * 5;
}

}  // namespace

MaintenanceRunner::MaintenanceRunner(const Inventory& inventory, const WorkerPorts& ports)
    : shared_(std::make_shared<Shared>(inventory, ports)) {}

bool MaintenanceRunner::has_mail() const {
    return !shared_->mailbox.empty();
}

std::deque<MaintenanceEvent> MaintenanceRunner::take_mail() {
    return shared_->mailbox.take();
}

std::vector<JournalEntry> MaintenanceRunner::take_notes() {
    return std::exchange(shared_->notes, {});
}

void MaintenanceRunner::begin(TakeSurvey action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        Surveyed event;
        event.incident = action.incident;
        event.survey = take_survey(shared->inventory, action.order, shared->ports.hypervisors,
                                   shared->ports.mover, shared->ports.scheduler);
        shared->post(std::move(event));
    });
}

void MaintenanceRunner::begin(MoveDomain action) {
    const auto cancel = std::make_shared<std::atomic<bool>>(false);
    shared_->cancels[action.domain.name] = cancel;
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action), cancel] {
        MoveEnded ended{action.domain.name, action.to, false, {}};
        MoveWatch watch;
        watch.cancelled = [cancel] { return cancel->load(); };
        watch.progress = [shared, &action](MoveProgress progress) {
            progress.domain = action.domain.name;
            progress.host = action.from;
            progress.target = action.to;
            progress.at = shared->ports.scheduler.now().wall;
            try {
                shared->ports.journal.write_progress(progress);
            } catch (const Error&) {
                // It is shown to people and nothing depends on it.
            }
        };
        try {
            ended.text = printable(shared->ports.mover.move(
                action.domain, shared->host(action.from), shared->host(action.to), action.way,
                watch, Deadline{shared->mono() + shared->inventory.policy.move_time}));
            ended.done = true;
        } catch (const Error& error) {
            ended.text = printable(error.what());
        }
        try {
            shared->ports.journal.end_progress(action.domain.name);
        } catch (const Error&) {
            // As above.
        }
        shared->post(std::move(ended));
    });
}

void MaintenanceRunner::begin(CancelMove action) {
    const auto found = shared_->cancels.find(action.domain);
    if (found != shared_->cancels.end()) *found->second = true;
}

void MaintenanceRunner::begin(LookAtSides action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        SidesRead read;
        read.domain = action.domain.name;
        const Deadline deadline{shared->mono() + look_time(shared->inventory.policy)};
        const auto look = [&](const std::string& name) {
            if (action.off.count(name) != 0) return SideState::Unreachable;
            try {
                return shared->ports.mover.look(action.domain, shared->host(name), deadline);
            } catch (const Error&) {
                return SideState::Unreachable;
            }
        };
        // The target first: what is seen to stand still at the source afterwards can't have been
        // moved on since.
        read.to = look(action.to);
        read.from = look(action.from);
        shared->post(std::move(read));
    });
}

void MaintenanceRunner::begin(CleanUpSide action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        CleanedUp cleaned{action.domain.name, action.what, false, {}};
        try {
            shared->ports.mover.clean_up(action.domain, shared->host(action.host), action.what,
                                         Deadline{shared->mono() + clean_up_time});
            cleaned.done = true;
            cleaned.text = "on " + action.host + ": done";
        } catch (const Error& error) {
            cleaned.text = printable(error.what());
        }
        shared->post(std::move(cleaned));
    });
}

void MaintenanceRunner::tell_monitor(const std::string& host,
                                     const std::function<std::string()>& tell) {
    JournalEntry entry{0,
                       shared_->ports.scheduler.now().wall,
                       EntryKind::Event,
                       StepKind::None,
                       host,
                       {},
                       {},
                       true,
                       {}};
    try {
        entry.text = tell();
        if (entry.text.empty()) return;
    } catch (const Error& error) {
        entry.ok = false;
        entry.text = std::string("the monitor could not be told of the maintenance: ") +
                     printable(error.what());
    }
    shared_->notes.push_back(std::move(entry));
}

void MaintenanceRunner::begin(BeginDowntime action) {
    tell_monitor(action.host, [&] {
        return shared_->ports.downtime.begin(action.host, shared_->ports.scheduler.now().wall,
                                             shared_->inventory.policy.maintenance_time, action.who,
                                             action.text);
    });
}

void MaintenanceRunner::begin(EndDowntime action) {
    tell_monitor(action.host, [&] {
        return shared_->ports.downtime.end(action.host, shared_->ports.scheduler.now().wall);
    });
}

void MaintenanceRunner::begin(TellPeople action) {
    shared_->ports.notifier.notify(action.text);
}

}  // namespace domkeeper
