// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper plan --lost HOST`: what would be done, without doing anything.
#include <algorithm>
#include <iostream>
#include <memory>

#include "eventhandlers/commands.hpp"
#include "lib/app/report_plan.hpp"
#include "lib/core/dry_run.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/all_hosts.hpp"
#include "lib/io/glpk_packing.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {
namespace {

int run_plan(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    DryRunFacts facts;
    facts.lost = hosts_given(arguments, "lost", inventory);
    facts.views = read_peers(inventory, facts.lost);
    SqliteJournal journal(inventory.state_dir);
    SqliteRecord records(inventory.state_dir);
    const ClusterRecord record = records.read();
    SeatFile seat(inventory.policy.seat_file);
    const DryRunPlan plan = dry_run({inventory,
                                     record,
                                     arming_here(journal, seat),
                                     real_now(),
                                     glpk_packing(),
                                     journal.maintenance(),
                                     {}},
                                    facts);
    std::cout << (arguments.flag("json") ? plan_json(plan).render() : render_plan(plan));
    const bool refused = std::any_of(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
        return step.kind == EntryKind::Refusal;
    });
    return refused || !plan.objections.empty() ? 1 : 0;
}

}  // namespace

std::vector<std::string> hosts_given(const Arguments& arguments, const std::string& option,
                                     const Inventory& inventory) {
    std::vector<std::string> hosts;
    for (const std::string& word : arguments.all(option))
        for (const std::string& host : split(word, ',')) {
            if (inventory.find_host(host) == nullptr)
                throw UsageError("no host '" + printable(host) + "' is in the cluster file");
            if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
        }
    return hosts;
}

std::map<std::string, LastView> read_peers(const Inventory& inventory,
                                           const std::vector<std::string>& left_out) {
    const Instant began = real_now().mono;
    LibvirtHypervisors hypervisors;
    std::vector<std::string> peers;
    std::vector<std::shared_ptr<Hypervisor>> ports;
    for (const Host& host : inventory.hosts) {
        if (std::find(left_out.begin(), left_out.end(), host.name) != left_out.end()) continue;
        peers.push_back(host.name);
        ports.push_back(hypervisors.at(host));
    }
    auto read = read_hosts(ports, Deadline{began + inventory.policy.observe_time});
    std::map<std::string, LastView> views;
    for (std::size_t i = 0; i < peers.size(); ++i) {
        LastView& last = views[peers[i]];
        last.began = began;
        last.view = std::move(read[i].value);
        if (!last.view) last.why = printable(trouble_of(read[i].error));
    }
    return views;
}

Command plan_command() {
    return {{.name = "plan",
             .help = "Show what would be done if hosts were lost now, with the reason of each step "
                     "and refusal. Reads the other hosts and changes nothing. Exit code 1: "
                     "something would be refused.",
             .options = {{.name = "lost",
                          .value_name = "HOST",
                          .help = "A host that is assumed dead; several with commas.",
                          .required = true,
                          .repeatable = true}}},
            run_plan};
}

}  // namespace domkeeper
