// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/offers.hpp"

namespace domkeeper {

class Stacks;

/// A scenario: a cluster, what runs where, timed events and faults. Text form, a line each:
///
///     host|device|domain|policy ...      the inventory's own lines (lib/core/inventory_text)
///     runs HOST DOMAIN=SIZE[/VCPUS] ...  what runs there at the start, and is recorded
///     offers HOST LABEL ...              what was read of that host, see lib/core/offers
///     record-age HOST DURATION           how old the record of that host is at the start
///     disks DOMAIN SOURCE ...            its disks: e7.1, iqn.x:y/1 or a path; none if left out
///     no-record HOST                     nothing is recorded of it
///     disarmed [REASON ...]              at the start
///     at TIME COMMAND ...                see docs/simulate.md for the commands
///     crash-at N ...                     the worker is killed at its N-th port call
///     until TIME                         the end (default 60s)
struct Scenario {
    struct Timed {
        Duration at{0};
        int line = 0;
        std::vector<std::string> words;
    };
    Inventory inventory;
    struct Running {
        std::string domain;
        Bytes memory;
        int vcpus = 1;
    };
    std::map<std::string, std::vector<Running>> runs;       ///< by host
    std::map<std::string, Labels> offers;                   ///< by host
    std::map<std::string, std::vector<std::string>> disks;  ///< by domain
    std::map<std::string, Duration> record_age;
    std::vector<std::string> no_record;
    std::optional<std::string> disarmed;  ///< the reason
    std::vector<Timed> timed;
    Duration until{60'000};
    std::set<long> crash_at;  ///< the worker is killed at these of its port calls
};

/// The words of a line, between spaces.
std::vector<std::string> words_of(std::string_view line);

/// Throws UsageError "line 3: ..." for the first mistake.
Scenario parse_scenario(std::string_view text);

/// How a run ended.
struct ScenarioOutcome {
    std::vector<std::string> log;            ///< what happened, with seconds
    std::vector<std::string> final_state;    ///< where each domain runs, how each incident ended
    std::map<std::string, std::string> ran;  ///< domain -> host on which it runs at the end, or ""
    std::vector<Incident> incidents;         ///< oldest first
    std::vector<JournalEntry> entries;       ///< of these incidents
    std::vector<std::string> broken;         ///< broken promises; none is as it should be
    long crash_points = 0;
};

/// A scenario as it stands in a file: its lines, then a line "----" and the log that is expected.
struct ScenarioFile {
    std::string head;
    std::string expected;  ///< empty: nothing is expected
};

ScenarioFile split_scenario(const std::string& text);
std::string join_scenario(const ScenarioFile& file);

/// The log and what was at the end, as it stands below the "----".
std::string render_outcome(const ScenarioOutcome& outcome);

/// Runs it with the real engine over simulated ports and time. At each of the scenario's crash
/// points, or at `crash_at` alone, the worker is killed and a new one is called a second later.
/// `stacks`: who runs many hands each what the ones before left.
ScenarioOutcome run_scenario(const Scenario& scenario, std::optional<long> crash_at = std::nullopt,
                             Stacks* stacks = nullptr);

}  // namespace domkeeper
