// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper simulate FILE`: the real engine over a simulated cluster.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "eventhandlers/commands.hpp"
#include "lib/app/report.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/scenario.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t largest_file = 1 << 20;

ScenarioFile read_scenario(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text(largest_file + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad() || (!in.eof() && in.fail())) throw UsageError(printable(path) + ": can't be read");
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > largest_file)
        throw UsageError(printable(path) + ": is larger than 1 MiB: that is no scenario");
    return split_scenario(text);
}

std::vector<JournalEntry> entries_of(const ScenarioOutcome& outcome, IncidentId id) {
    std::vector<JournalEntry> entries;
    std::copy_if(outcome.entries.begin(), outcome.entries.end(), std::back_inserter(entries),
                 [&](const JournalEntry& entry) { return entry.incident == id; });
    return entries;
}

Json strings_json(const std::vector<std::string>& lines) {
    Json list = Json::array();
    for (const std::string& line : lines) list.push(line);
    return list;
}

Json outcome_json(const ScenarioOutcome& outcome) {
    Json domains = Json::array();
    for (const auto& [domain, host] : outcome.ran) {
        Json row = Json::object();
        row.set("name", domain);
        domains.push(row.set("host", host.empty() ? Json() : Json(host)));
    }
    Json incidents = Json::array();
    for (const Incident& incident : outcome.incidents)
        incidents.push(incident_json(incident, entries_of(outcome, incident.id)));
    return Json::object()
        .set("domains", std::move(domains))
        .set("incidents", std::move(incidents))
        .set("broken_promises", strings_json(outcome.broken))
        .set("log", strings_json(outcome.log));
}

int run_simulate(const Arguments& arguments) {
    const std::string& path = arguments.argument();
    const ScenarioFile file = read_scenario(path);
    std::optional<long> crash_at;
    if (const auto given = arguments.integer("crash-at")) {
        if (*given < 1) throw UsageError("--crash-at must be 1 or more");
        crash_at = static_cast<long>(*given);
    }
    ScenarioOutcome outcome;
    try {
        outcome = run_scenario(parse_scenario(file.head), crash_at);
    } catch (const UsageError& error) {
        throw UsageError(printable(path) + ": " + error.what());
    }
    const std::string log = render_outcome(outcome);
    std::cout << (arguments.flag("json") ? outcome_json(outcome).render() : log);
    for (const std::string& promise : outcome.broken)
        std::cerr << "domkeeper: broken promise: " << promise << "\n";
    const bool expected = file.expected.empty() || crash_at || log == file.expected;
    if (!expected) std::cerr << "domkeeper: the log differs from what the file expects\n";
    return outcome.broken.empty() && expected ? 0 : 1;
}

}  // namespace

Command simulate_command() {
    return {{.name = "simulate",
             .argument = "FILE",
             .help = "Play a scenario: a cluster, timed events and faults, as docs/simulate.md "
                     "describes them, with the real engine over simulated time. Shows what would "
                     "happen and where each domain ends. Exit code 1: a promise was broken, or the "
                     "log is not what the file expects.",
             .options = {{.name = "crash-at",
                          .type = ValueType::Integer,
                          .value_name = "N",
                          .help = "Kill the worker at its N-th port call and call it again a "
                                  "second later."}}},
            run_simulate};
}

}  // namespace domkeeper
