// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper evacuate HOST` and `domkeeper return HOST`: orders for the worker, and what became of
// them.
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "eventhandlers/orders.hpp"
#include "lib/app/moving.hpp"
#include "lib/app/report.hpp"
#include "lib/app/report_maintenance.hpp"
#include "lib/core/error.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/text.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/libvirt_mover.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {
namespace {

const std::string& host_of(const Arguments& arguments, const Inventory& inventory) {
    const std::string& host = arguments.argument();
    if (inventory.find_host(host) == nullptr)
        throw UsageError("no host '" + printable(host) + "' is in the cluster file");
    return host;
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
    std::string objection = order_objection(inventory, journal);
    if (!survey.hosts.at(host).view) objection = "it does not answer: " + survey.hosts.at(host).why;
    const MaintenancePlan plan = plan_moves(question, survey);
    std::cout << (arguments.flag("json") ? evacuation_json(host, plan, objection).render()
                                         : render_evacuation(host, plan, objection));
    return plan.refusals.empty() && objection.empty() ? 0 : 1;
}

int run_evacuate(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string& host = host_of(arguments, inventory);
    if (arguments.flag("plan")) return show_plan(inventory, arguments, host);
    if (arguments.flag("stop")) return stop_order(inventory, host);
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
