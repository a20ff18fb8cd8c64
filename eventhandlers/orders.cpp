// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/orders.hpp"

#include <algorithm>
#include <iostream>

#include "eventhandlers/worker.hpp"
#include "lib/app/report.hpp"
#include "lib/app/report_maintenance.hpp"
#include "lib/core/error.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/text.hpp"
#include "lib/io/interrupt.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration poll{100};
constexpr Duration word_period{1'000};
constexpr Duration before_watchdog{300};

/// Has the work under that mark begin nothing further; false when none is under way.
bool tell_to_stop(Journal& journal, Maintenance mark) {
    if (!mark.has_work()) return false;
    mark.stop = true;
    journal.order_maintenance(mark);
    return true;
}

/// Shows the worker's words and the progress of the moves until its incident is closed. Ctrl-C
/// stops the work, not this.
class Follower {
  public:
    Follower(const Inventory& inventory, std::string host, IncidentId before, bool quiet)
        : journal_(inventory.state_dir), host_(std::move(host)), before_(before), quiet_(quiet) {}

    Incident follow(Deadline deadline) {
        const auto scheduler = RealScheduler::create();
        const Interrupt interrupt;
        for (;;) {
            if (interrupt.came() && !stopped_) stop();
            if (const auto end = look()) return *end;
            const Instant now = scheduler->now().mono;
            if (deadline.passed(now))
                throw TimedOut("it goes on in the background; `domkeeper status` shows it, " +
                               std::string(host_ == whole_cluster
                                               ? "`domkeeper balance --stop"
                                               : "`domkeeper evacuate --stop " + host_) +
                               "` stops it");
            show_progress(now);
            scheduler->sleep_until(now + poll);
        }
    }
    Journal& journal() { return journal_; }

  private:
    void stop() {
        stopped_ = true;
        const auto marks = journal_.maintenance();
        const Maintenance* mark = find_mark(marks, host_);
        if (mark == nullptr || !tell_to_stop(journal_, *mark)) return;
        std::cerr << "stopping: no further move begins, and what moves is asked to end; once more "
                     "Ctrl-C leaves that alone"
                  << std::endl;
    }

    std::optional<Incident> look() {
        std::optional<Incident> found;
        for (const Incident& incident : journal_.incidents(20))
            if (incident.host == host_ && incident.id > before_ && is_maintenance(incident.id)) {
                found = incident;
                break;
            }
        if (!found) return std::nullopt;
        const auto incident = journal_.incident(found->id);
        const auto entries = journal_.entries(found->id);
        for (; shown_ < entries.size() && !quiet_; ++shown_)
            std::cout << render_line(*found, entries[shown_]) << std::endl;
        if (incident && incident->state != IncidentState::Open) return incident;
        return std::nullopt;
    }

    /// The host may have an incident of another kind at the same time: its death.
    bool is_maintenance(IncidentId id) {
        const auto entries = journal_.entries(id);
        return !entries.empty() && (entries.front().step == StepKind::Evacuate ||
                                    entries.front().step == StepKind::Return ||
                                    entries.front().step == StepKind::Balance);
    }

    void show_progress(Instant now) {
        if (quiet_ || now < next_word_) return;
        next_word_ = now + word_period;
        for (const MoveProgress& move : journal_.progress())
            std::cout << "    ... " << render_progress(move) << std::endl;
    }

    SqliteJournal journal_;
    std::string host_;
    IncidentId before_;
    bool quiet_;
    bool stopped_ = false;
    std::size_t shown_ = 0;
    Instant next_word_ = real_now().mono + word_period;
};

}  // namespace

int give_order(const Inventory& inventory, const Arguments& arguments, const Maintenance& order) {
    IncidentId before = 0;
    {
        // Closed again before the fork: SQLite's handles must not be shared.
        SqliteJournal journal(inventory.state_dir);
        const auto marks = journal.maintenance();
        const Maintenance* mark = find_mark(marks, order.host);
        if (order.phase == MaintenancePhase::Returning && mark == nullptr)
            throw UsageError(order.host + " is not in maintenance");
        const auto newest = journal.incidents(1);
        before = newest.empty() ? 0 : newest.front().id;
        // Work that a killed worker left is gone on with under its own number.
        if (mark != nullptr && mark->has_work() && mark->phase == order.phase)
            before = std::min(before, mark->incident - 1);
        journal.order_maintenance(order);
    }
    const std::string line = start_worker(inventory);
    const bool json = arguments.flag("json");
    if (!json) std::cout << line << std::endl;
    Follower follower(inventory, order.host, before, json);
    const Incident end =
        follower.follow(Deadline{real_now().mono + arguments.timeout() - before_watchdog});
    if (json)
        std::cout << incident_json(end, follower.journal().entries(end.id)).render();
    else
        std::cout << "incident " << end.id << ", " << incident_state_name(end.state) << ": "
                  << end.summary << "\n";
    return end.state == IncidentState::Evacuated || end.state == IncidentState::Returned ||
                   end.state == IncidentState::Balanced
               ? 0
               : 1;
}

Maintenance order_of(const Arguments& arguments, const std::string& host, MaintenancePhase phase) {
    Maintenance order;
    order.host = host;
    order.phase = phase;
    order.who = printable(user_name(), 64);
    order.reason = printable(trim(arguments.text("reason")), 512);
    order.since = real_now().wall;
    return order;
}

std::string order_objection(const Inventory& inventory, Journal& journal) {
    SeatFile seat(inventory.policy.seat_file);
    const Arming arming = arming_here(journal, seat);
    if (arming.armed_at(real_now().wall)) return {};
    return arming.no_seat.empty() ? "disarmed" : arming.no_seat;
}

Option reason_option() {
    return {.name = "reason", .value_name = "TEXT", .help = "Why, for the record."};
}

Option follow_option() {
    return {.name = "timeout",
            .letter = 't',
            .type = ValueType::Seconds,
            .value_name = "SECONDS",
            .help = "Follow for this long; the work goes on without.",
            .default_value = "3600"};
}

int stop_order(const Inventory& inventory, const std::string& host) {
    SqliteJournal journal(inventory.state_dir);
    const auto marks = journal.maintenance();
    const Maintenance* mark = find_mark(marks, host);
    if (mark == nullptr)
        throw UsageError(host == whole_cluster ? "the load is not being evened out"
                                               : host + " is not in maintenance");
    if (tell_to_stop(journal, *mark))
        std::cout << "told: no further move begins, and what moves is asked to end\n";
    else
        std::cout << "nothing is being done with " << host << "\n";
    return 0;
}

}  // namespace domkeeper
