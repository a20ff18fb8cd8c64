// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper balance`: which moves would even the load out, and, on request, these moves.
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "eventhandlers/orders.hpp"
#include "lib/app/moving.hpp"
#include "lib/app/report_balance.hpp"
#include "lib/core/error.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/libvirt_mover.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {
namespace {

int show(const Inventory& inventory, const Arguments& arguments) {
    const auto scheduler = RealScheduler::create();
    LibvirtHypervisors hypervisors;
    LibvirtMover mover;
    const std::string all(whole_cluster);
    const Survey survey = take_survey(inventory, {all, MaintenancePhase::Balancing, {}},
                                      hypervisors, mover, *scheduler);
    SqliteJournal journal(inventory.state_dir);
    MaintenanceQuestion question{inventory, all, MaintenancePhase::Balancing, {}, {}, {}};
    const ClusterRecord record = SqliteRecord(inventory.state_dir).read();
    question.record = &record;
    for (const Maintenance& mark : journal.maintenance()) question.closed.insert(mark.host);
    BalanceReport report;
    report.tolerance = inventory.policy.balance_tolerance;
    report.plan = plan_balance(question, survey);
    report.before = shares_of(question, survey);
    report.after = shares_after(report.before, report.plan.moves, survey);
    for (const auto& [host, reading] : survey.hosts)
        if (!reading.view) report.unread.push_back(host);
    report.objection = order_objection(inventory, journal);
    std::cout << (arguments.flag("json") ? balance_json(report).render() : render_balance(report));
    return report.plan.moves.empty() && report.objection.empty() && report.unread.empty() ? 0 : 1;
}

int run_balance(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string all(whole_cluster);
    if (arguments.flag("stop")) return stop_order(inventory, all);
    if (!arguments.flag("execute")) return show(inventory, arguments);
    return give_order(inventory, arguments, order_of(arguments, all, MaintenancePhase::Balancing));
}

}  // namespace

Command balance_command() {
    return {{.name = "balance",
             .help = "Show the live moves that would even out the memory and virtual CPUs of the "
                     "hosts; with --execute make them. Exit code 0: nothing is to be done, or all "
                     "was.",
             .options = {{.name = "execute",
                          .type = ValueType::Flag,
                          .help = "Move them, moves_at_once at a time. Stops with Ctrl-C."},
                         {.name = "stop",
                          .type = ValueType::Flag,
                          .help = "Stop an evening out that is under way."},
                         reason_option(),
                         follow_option()}},
            run_balance};
}

}  // namespace domkeeper
