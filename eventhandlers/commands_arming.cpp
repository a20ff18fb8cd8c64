// SPDX-License-Identifier: GPL-3.0-or-later
// The commands that say whether domkeeper may act by itself: arm, disarm.
#include <algorithm>
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "lib/app/report.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration longest_disarming = std::chrono::hours(24 * 366);

void show(const Arguments& arguments, const Arming& arming, TimePoint now) {
    std::cout << (arguments.flag("json") ? arming_json(arming, now).render()
                                         : render_arming(arming, now) + "\n");
}

std::string reason_of(const Arguments& arguments) {
    return printable(trim(arguments.text("reason")), 512);
}

int run_arm(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    SqliteJournal journal(inventory.state_dir);
    const Arming arming{true, std::nullopt, user_name(), reason_of(arguments), real_now().wall};
    journal.set_arming(arming);
    show(arguments, arming, arming.since);
    return 0;
}

/// When a disarming for `span` ends. A disarming that ends by itself arms, so it must neither
/// follow one that somebody means to end by hand nor cut another one short.
TimePoint end_of(const Arming& current, TimePoint now, Duration span) {
    const TimePoint end = now + span;
    if (current.armed_at(now)) return end;
    if (!current.until)
        throw SystemError(
            "it is disarmed already, until somebody arms it; a disarming with an "
            "end would arm it by itself: leave --for out, or arm it first");
    return std::max(end, *current.until);
}

int run_disarm(const Arguments& arguments) {
    const auto span = arguments.duration("for");
    if (span && (*span <= Duration::zero() || *span > longest_disarming))
        throw UsageError("--for must be more than nothing and at most a year, not " +
                         render_duration(*span));
    const std::string reason = reason_of(arguments);
    if (reason.empty()) throw UsageError("--reason must say something");
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    SqliteJournal journal(inventory.state_dir);
    Arming arming{false, std::nullopt, user_name(), reason, real_now().wall};
    if (span) arming.until = end_of(journal.arming(), arming.since, *span);
    journal.set_arming(arming);
    show(arguments, arming, arming.since);
    return 0;
}

}  // namespace

Command arm_command() {
    return {{.name = "arm",
             .help = "Let domkeeper act on events. The user and the time are recorded.",
             .options = {{.name = "reason", .value_name = "TEXT", .help = "Why, for the record."}}},
            run_arm};
}

Command disarm_command() {
    return {{.name = "disarm",
             .help = "Make domkeeper leave everything alone. A recovery under way stops before "
                     "its next step.",
             .options = {{.name = "for",
                          .type = ValueType::TimeSpan,
                          .value_name = "SPAN",
                          .help = "Arm again by itself after this, such as 2h, but never before "
                                  "the end of another disarming. Default: not until somebody "
                                  "arms it."},
                         {.name = "reason",
                          .value_name = "TEXT",
                          .help = "Why, for the record.",
                          .required = true}}},
            run_disarm};
}

}  // namespace domkeeper
