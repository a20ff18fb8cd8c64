// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper recover HOST`: hands a host to the worker by hand and follows what it does.
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "eventhandlers/worker.hpp"
#include "lib/app/report.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration poll{100};
constexpr Duration before_watchdog{200};

/// The incident that took the report on: an unfinished one of the host, else the first one that
/// is newer than what was there before.
std::optional<Incident> find_incident(Journal& journal, const std::string& host,
                                      IncidentId newest_before) {
    const auto marks = journal.maintenance();
    const Maintenance* const mark = find_mark(marks, host);
    // An evacuation of the host is another matter.
    const auto is_ours = [&](const Incident& incident) {
        return incident.host == host && incident.domain.empty() &&
               (mark == nullptr || mark->incident != incident.id);
    };
    for (const Incident& incident : journal.unfinished())
        if (is_ours(incident)) return incident;
    for (const Incident& incident : journal.incidents(20))
        if (is_ours(incident) && incident.id > newest_before) return incident;
    return std::nullopt;
}

IncidentId newest_incident(Journal& journal) {
    const auto newest = journal.incidents(1);
    return newest.empty() ? 0 : newest.front().id;
}

/// Shows each entry as it is written, until the incident is closed. The worker goes on whatever
/// happens to this process.
Incident follow(Journal& journal, const std::string& host, IncidentId before, bool quiet,
                Deadline deadline) {
    const auto scheduler = RealScheduler::create();
    std::size_t shown = 0;
    // Kept once found: of two operators, the later one may have seen the incident begin, and could
    // not tell it from an older one after its end.
    std::optional<Incident> found;
    for (;;) {
        if (!found) found = find_incident(journal, host, before);
        if (found) {
            // Read before the entries, so that a closed incident shows all of them.
            const auto incident = journal.incident(found->id);
            const auto entries = journal.entries(found->id);
            for (; shown < entries.size() && !quiet; ++shown)
                std::cout << render_line(*found, entries[shown]) << std::endl;
            if (incident && incident->state != IncidentState::Open) return *incident;
        }
        const Instant now = scheduler->now().mono;
        if (deadline.passed(now))
            throw TimedOut("the recovery of " + host +
                           " goes on in the background; `domkeeper incidents` shows it");
        scheduler->sleep_until(now + poll);
    }
}

int run_recover(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const std::string& host = arguments.argument();
    if (inventory.find_host(host) == nullptr)
        throw UsageError("no host '" + printable(host) + "' is in the cluster file");
    const std::string who = user_name();
    const std::string reason = printable(trim(arguments.text("reason")), 512);
    HostEvent event{host, HostState::Down, StateType::Hard, "operator " + who, reason, {}};
    if (arguments.flag("confirm-off")) {
        if (reason.empty())
            throw UsageError("--confirm-off needs --reason TEXT: how do you know that it is off?");
        event.confirmed_off = "confirmed off by " + who + ": " + reason;
        std::cerr << "On record: " << who << " says that " << host
                  << " is off. If it is not, its domains will run twice and their file systems "
                     "will be destroyed.\n";
    }
    const IncidentId before = [&] {
        SqliteJournal journal(inventory.state_dir);
        return newest_incident(journal);
    }();
    const Handed handed = hand_over(inventory, event);
    const bool json = arguments.flag("json");
    if (!json) std::cout << handed.line << std::endl;
    SqliteJournal journal(inventory.state_dir);
    const Incident end = follow(journal, host, before, json,
                                Deadline{real_now().mono + arguments.timeout() - before_watchdog});
    if (json)
        std::cout << incident_json(end, journal.entries(end.id)).render();
    else
        std::cout << "incident " << end.id << ", " << incident_state_name(end.state) << ": "
                  << end.summary << "\n";
    return end.state == IncidentState::Recovered ? 0 : 1;
}

}  // namespace

Command recover_command() {
    return {{.name = "recover",
             .argument = "HOST",
             .help = "Hand a host to the worker by hand and follow what it does. The worker looks, "
                     "fences and proves as it does for the monitor, and goes on when this command "
                     "is interrupted.",
             .options = {{.name = "confirm-off",
                          .type = ValueType::Flag,
                          .help = "Your recorded word that the host is off takes the place of the "
                                  "fence. If it is wrong, file systems are destroyed."},
                         {.name = "reason",
                          .value_name = "TEXT",
                          .help = "Why, for the record; needed with --confirm-off."},
                         {.name = "timeout",
                          .letter = 't',
                          .type = ValueType::Seconds,
                          .value_name = "SECONDS",
                          .help = "Follow for this long.",
                          .default_value = "600"}}},
            run_recover};
}

}  // namespace domkeeper
