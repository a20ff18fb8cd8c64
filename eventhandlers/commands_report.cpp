// SPDX-License-Identifier: GPL-3.0-or-later
// The commands that only look: check-config, status, incidents, incident.
#include <algorithm>
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "lib/app/report.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/file_lock.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {
namespace {

constexpr int latest_shown = 10;
constexpr int loose_shown = 5;

int run_check_config(const Arguments& arguments) {
    const std::string path = config_path(arguments.text("config"));
    const LoadedConfig config = read_config(path);
    std::cout << (arguments.flag("json") ? config_json(path, config).render()
                                         : render_config(path, config));
    return config.problems.empty() ? 0 : 1;
}

int run_status(const Arguments& arguments) {
    StatusFacts facts;
    facts.inventory = load_inventory(config_path(arguments.text("config")));
    SqliteJournal journal(facts.inventory.state_dir);
    SeatFile seat(facts.inventory.policy.seat_file);
    facts.arming = arming_here(journal, seat);
    facts.pending = journal.pending_events();
    facts.unfinished = journal.unfinished();
    facts.latest = journal.incidents(latest_shown);
    facts.loose = journal.loose_entries(loose_shown);
    facts.marks = journal.maintenance();
    facts.moves = journal.progress();
    facts.holds = journal.holds();
    facts.record = SqliteRecord(facts.inventory.state_dir).read();
    facts.worker_alive = is_lock_held(worker_lock_path(facts.inventory.state_dir));
    facts.now = real_now().wall;
    std::cout << (arguments.flag("json") ? status_json(facts).render() : render_status(facts));
    return 0;
}

int run_incidents(const Arguments& arguments) {
    const std::int64_t newest = arguments.integer("newest").value_or(20);
    if (newest < 1 || newest > 1'000'000)
        throw UsageError("--newest must be 1 to 1000000, not " + std::to_string(newest));
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    SqliteJournal journal(inventory.state_dir);
    const auto incidents = journal.incidents(static_cast<int>(newest));
    std::cout << (arguments.flag("json") ? incidents_json(incidents).render()
                                         : render_incidents(incidents, real_now().wall));
    return 0;
}

/// Lines as they are, but for what a terminal would obey: they come from a host.
std::string safe_lines(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(std::string_view(text).substr(at));
        const auto byte = static_cast<unsigned char>(text[at]);
        const bool safe = length > 1 || (length == 1 && byte >= 0x20 && byte != 0x7f) ||
                          byte == '\n' || byte == '\t';
        out += safe ? text.substr(at, std::max<std::size_t>(length, 1)) : "?";
        at += std::max<std::size_t>(length, 1);
    }
    return out.empty() || out.back() == '\n' ? out : out + "\n";
}

int run_incident(const Arguments& arguments) {
    const auto id = parse_integer(arguments.argument());
    if (!id || *id < 1)
        throw UsageError("\"" + printable(arguments.argument(), 40) +
                         "\" is no number of an incident; domkeeper incidents lists them");
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    SqliteJournal journal(inventory.state_dir);
    const auto incident = journal.incident(*id);
    if (!incident)
        throw SystemError("there is no incident " + std::to_string(*id) +
                          "; domkeeper incidents lists them");
    if (const std::string& domain = arguments.text("definition"); !domain.empty()) {
        for (const KeptDefinition& kept : journal.kept_definitions(*id))
            if (kept.domain == domain) {
                std::cout << safe_lines(kept.xml);
                return 0;
            }
        throw SystemError("incident " + std::to_string(*id) + " has no definition of " +
                          printable(domain, 64));
    }
    const auto entries = journal.entries(*id);
    std::cout << (arguments.flag("json") ? incident_json(*incident, entries).render()
                                         : render_incident(*incident, entries, real_now().wall));
    return 0;
}

}  // namespace

Command check_config_command() {
    return {{.name = "check-config",
             .help = "Name every mistake in the cluster file. Exit code 1 when there is one."},
            run_check_config};
}

Command status_command() {
    return {{.name = "status",
             .help = "Show whether domkeeper is armed and at work, the last incidents, and what "
                     "ran where when it was last seen."},
            run_status};
}

Command incidents_command() {
    return {{.name = "incidents",
             .help = "List incidents, newest first.",
             .options = {{.name = "newest",
                          .type = ValueType::Integer,
                          .value_name = "N",
                          .help = "List so many.",
                          .default_value = "20"}}},
            run_incidents};
}

Command incident_command() {
    return {{.name = "incident",
             .argument = "N",
             .help = "Show the timeline of an incident, in seconds since it was opened.",
             .options = {{.name = "definition",
                          .value_name = "DOMAIN",
                          .help = "Show the definition of this domain instead, which was taken "
                                  "away from a host that came back, as `virsh define` takes it. "
                                  "It has no secrets."}}},
            run_incident};
}

}  // namespace domkeeper
