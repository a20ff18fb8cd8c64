// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/core/recovery.hpp"

namespace domkeeper {

/// What a dry run is told of the world.
struct DryRunFacts {
    std::vector<std::string> lost;          ///< hosts assumed dead
    std::map<std::string, LastView> views;  ///< of the others, as read just now
};

/// What would be done for the lost hosts, in order, with the reason of each step and refusal.
struct DryRunPlan {
    /// What stands in the way right now (disarmed, record too old, ...), by host. The steps show
    /// what would be done without it, as far as that can be said.
    std::map<std::string, std::string> objections;
    std::vector<JournalEntry> steps;  ///< fence intents, placements and refusals
};

/// Runs the real state machine on assumed answers: the hosts are silent, the fence succeeds. It
/// ends where the starts would begin.
DryRunPlan dry_run(const RecoveryContext& context, const DryRunFacts& facts);

}  // namespace domkeeper
