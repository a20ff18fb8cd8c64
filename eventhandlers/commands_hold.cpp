// SPDX-License-Identifier: GPL-3.0-or-later
// The commands about single domains: care, hold, unhold.
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "eventhandlers/domain_event.hpp"
#include "lib/app/report_care.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration longest_hold = std::chrono::hours(24 * 366);

void show(const Arguments& arguments, const std::vector<DomainHold>& holds, TimePoint now,
          const std::string& text) {
    std::cout << (arguments.flag("json") ? holds_json(holds, now).render() : text + "\n");
}

const std::string& domain_given(const Arguments& arguments, const Inventory& inventory) {
    const std::string& name = arguments.argument();
    if (inventory.find_domain(name) == nullptr)
        throw UsageError("no domain '" + printable(name, 64) + "' is in the cluster file");
    return name;
}

int run_hold(const Arguments& arguments) {
    const auto span = arguments.duration("for");
    if (span && (*span <= Duration::zero() || *span > longest_hold))
        throw UsageError("--for must be more than nothing and at most a year, not " +
                         render_duration(*span));
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    DomainHold hold;
    hold.domain = domain_given(arguments, inventory);
    hold.who = user_name();
    hold.reason = printable(trim(arguments.text("reason")), 512);
    hold.since = real_now().wall;
    if (span) hold.until = hold.since + *span;
    SqliteJournal(inventory.state_dir).set_hold(hold);
    show(arguments, {hold}, hold.since, render_hold(hold, hold.since));
    return 0;
}

int run_unhold(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string& name = domain_given(arguments, inventory);
    const bool was = SqliteJournal(inventory.state_dir).end_hold(name);
    show(arguments, {}, real_now().wall,
         name + (was ? " is looked after again" : " was not on hold"));
    return 0;
}

int run_care(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    if (arguments.argument().empty()) {
        std::cout << start_worker(inventory) << "\n";
        return 0;
    }
    HostEvent event;
    event.domain = domain_given(arguments, inventory);
    event.state = HostState::DomainFailed;
    event.source = "operator " + user_name();
    std::cout << hand_over_domain(inventory, event).line
              << "; `domkeeper incidents` shows what comes of it\n";
    return 0;
}

}  // namespace

Command care_command() {
    return {{.name = "care",
             .argument = "[DOMAIN]",
             .help = "Look after a domain now, as if the monitor had reported it: it is brought "
                     "back if it failed. Without one: finish what a killed worker left."},
            run_care};
}

Command hold_command() {
    return {{.name = "hold",
             .argument = "DOMAIN",
             .help = "Leave a domain alone when it fails or is shut down. If its host dies, it is "
                     "recovered all the same when it ran there last.",
             .options = {{.name = "for",
                          .type = ValueType::TimeSpan,
                          .value_name = "SPAN",
                          .help = "End by itself after this, such as 2h. Default: not until "
                                  "domkeeper unhold."},
                         {.name = "reason", .value_name = "TEXT", .help = "Why, for the record."}}},
            run_hold};
}

Command unhold_command() {
    return {{.name = "unhold",
             .argument = "DOMAIN",
             .help = "Look after a domain again that was on hold."},
            run_unhold};
}

}  // namespace domkeeper
