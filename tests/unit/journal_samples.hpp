// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "lib/io/sqlite_journal.hpp"
#include "tests/unit/sqlite_probe.hpp"

namespace domkeeper::test {

inline TimePoint at(int seconds) {
    return TimePoint{std::chrono::seconds(1'790'000'000) + std::chrono::seconds(seconds)};
}

inline JournalEntry entry(IncidentId id, const std::string& text) {
    return {id, at(1), EntryKind::Outcome, StepKind::Start, "xen1", "web1", "xen2", false, text};
}

inline JournalBatch opening(IncidentId id) {
    JournalBatch batch;
    batch.opened.push_back({id, "xen1", at(0), std::nullopt, IncidentState::Open, ""});
    batch.entries.push_back(entry(id, "first"));
    return batch;
}

inline HostEvent event(const std::string& output) {
    return {"xen1", HostState::Down, StateType::Soft, "monitor", output, "seen by \"alice\""};
}

inline std::string open_error(const std::string& folder) {
    return system_error_of([&] { SqliteJournal journal(folder); });
}

}  // namespace domkeeper::test
