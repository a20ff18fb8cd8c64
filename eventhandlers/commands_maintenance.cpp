// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper evacuate HOST` and `domkeeper return HOST`: orders for the worker, and what became of
// them.
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "eventhandlers/worker.hpp"
#include "lib/app/moving.hpp"
#include "lib/app/report.hpp"
#include "lib/app/report_maintenance.hpp"
#include "lib/core/error.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/text.hpp"
#include "lib/io/interrupt.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/libvirt_mover.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration poll{100};
constexpr Duration word_period{1'000};
constexpr Duration before_watchdog{300};

const std::string& host_of(const Arguments& arguments, const Inventory& inventory) {
    const std::string& host = arguments.argument();
    if (inventory.find_host(host) == nullptr)
        throw UsageError("no host '" + printable(host) + "' is in the cluster file");
    return host;
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
                               std::string("`domkeeper evacuate --stop ") + host_ + "` stops it");
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
        if (mark == nullptr || !mark->has_work()) return;
        Maintenance order = *mark;
        order.stop = true;
        journal_.order_maintenance(order);
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
                                    entries.front().step == StepKind::Return);
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

/// Writes the order, calls the worker and follows it to its end.
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
    return end.state == IncidentState::Evacuated || end.state == IncidentState::Returned ? 0 : 1;
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

int show_plan(const Inventory& inventory, const Arguments& arguments, const std::string& host) {
    const auto scheduler = RealScheduler::create();
    LibvirtHypervisors hypervisors;
    LibvirtMover mover;
    const Survey survey = take_survey(inventory, {host, MaintenancePhase::Evacuating, {}},
                                      hypervisors, mover, *scheduler);
    SqliteJournal journal(inventory.state_dir);
    MaintenanceQuestion question{inventory, host, MaintenancePhase::Evacuating, {}, {}, {}};
    for (const Maintenance& mark : journal.maintenance())
        if (mark.host != host) question.closed.insert(mark.host);
    const ClusterRecord record = SqliteRecord(inventory.state_dir).read();
    question.record = &record;
    std::string objection;
    if (!journal.arming().armed_at(real_now().wall)) objection = "disarmed";
    if (!survey.hosts.at(host).view) objection = "it does not answer: " + survey.hosts.at(host).why;
    const MaintenancePlan plan = plan_moves(question, survey);
    std::cout << (arguments.flag("json") ? evacuation_json(host, plan, objection).render()
                                         : render_evacuation(host, plan, objection));
    return plan.refusals.empty() && objection.empty() ? 0 : 1;
}

int stop(const Inventory& inventory, const std::string& host) {
    SqliteJournal journal(inventory.state_dir);
    const auto marks = journal.maintenance();
    const Maintenance* mark = find_mark(marks, host);
    if (mark == nullptr) throw UsageError(host + " is not in maintenance");
    if (!mark->has_work()) {
        std::cout << "nothing is being done with " << host << "\n";
        return 0;
    }
    Maintenance order = *mark;
    order.stop = true;
    journal.order_maintenance(order);
    std::cout << "told: no further move begins, and what moves is asked to end\n";
    return 0;
}

int run_evacuate(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string& host = host_of(arguments, inventory);
    if (arguments.flag("plan")) return show_plan(inventory, arguments, host);
    if (arguments.flag("stop")) return stop(inventory, host);
    Maintenance order = order_of(arguments, host, MaintenancePhase::Evacuating);
    order.partial = arguments.flag("partial");
    order.keep_spare = arguments.flag("keep-spare");
    return give_order(inventory, arguments, order);
}

int run_return(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string& host = host_of(arguments, inventory);
    Maintenance order = order_of(arguments, host, MaintenancePhase::Returning);
    order.stay = arguments.flag("stay");
    return give_order(inventory, arguments, order);
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

}  // namespace

Command evacuate_command() {
    return {{.name = "evacuate",
             .argument = "HOST",
             .help = "Move every running domain away from a host and mark it: nothing lands there, "
                     "and while it is empty it may be down without being fenced. Stops with "
                     "Ctrl-C; run again it goes on. Exit code 0: the host is empty.",
             .options = {{.name = "plan",
                          .type = ValueType::Flag,
                          .help = "Only show where each domain would go, and why; change nothing."},
                         {.name = "stop",
                          .type = ValueType::Flag,
                          .help = "Stop an evacuation or return; the host stays marked."},
                         {.name = "partial",
                          .type = ValueType::Flag,
                          .help = "Move what can be moved, even if not every domain can."},
                         {.name = "keep-spare",
                          .type = ValueType::Flag,
                          .help = "Don't begin if the rest could then lose no further host."},
                         reason_option(),
                         follow_option()}},
            run_evacuate};
}

Command return_command() {
    return {{.name = "return",
             .argument = "HOST",
             .help = "End a host's maintenance: the domains that were moved away come back, and it "
                     "is in use again.",
             .options = {{.name = "stay",
                          .type = ValueType::Flag,
                          .help = "Leave the domains where they are."},
                         reason_option(),
                         follow_option()}},
            run_return};
}

}  // namespace domkeeper
