// SPDX-License-Identifier: GPL-3.0-or-later
// What the simulated journal keeps of fenced hosts and their return.
#include <algorithm>

#include "lib/core/error.hpp"
#include "lib/sim/sim_ports.hpp"

namespace domkeeper {

void SimJournal::mark_fenced(const FencedHost& fenced) {
    world_.distrust(fenced.host);
    auto mark = std::find_if(marks_.begin(), marks_.end(),
                             [&](const auto& m) { return m.host == fenced.host; });
    if (mark == marks_.end()) {
        Maintenance made;
        made.host = fenced.host;
        made.phase = MaintenancePhase::Held;
        made.who = marked_by_itself;
        made.reason = "fenced in incident " + std::to_string(fenced.incident);
        made.since = fenced.at;
        mark = marks_.insert(marks_.end(), made);
    }
    mark->fenced = true;
    std::set<std::string> away(mark->domains.begin(), mark->domains.end());
    away.insert(fenced.domains.begin(), fenced.domains.end());
    mark->domains = {away.begin(), away.end()};
}

std::vector<PastFence> SimJournal::fences_since(TimePoint since) {
    std::vector<PastFence> found;
    for (const JournalEntry& entry : entries_)
        if (entry.kind == EntryKind::Intent && entry.step == StepKind::Fence && entry.at >= since &&
            entry.incident != 0)
            found.push_back({entry.incident, entry.host, entry.at});
    return found;
}

void SimJournal::keep_definition(const KeptDefinition& definition) {
    if (disk_full) throw SystemError("journal.db: no space left on device");
    kept_.push_back(definition);
    world_.keep_definition(definition.domain, definition.host);
}

std::vector<KeptDefinition> SimJournal::kept_definitions(IncidentId incident) {
    std::vector<KeptDefinition> found;
    for (const KeptDefinition& definition : kept_)
        if (definition.incident == incident) found.push_back(definition);
    return found;
}

}  // namespace domkeeper
