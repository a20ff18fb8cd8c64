// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/maintenance_plan.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// A definition on a host that is back, of a domain that lives elsewhere now.
struct StaleDefinition {
    std::string domain;
    std::string uuid;
    std::string elsewhere;  ///< the host that has it now
    bool runs = false;      ///< there; false: it is defined there
};

/// A host that was fenced is back. Nothing of it is trusted: what it shows is held against the
/// record and against what all other hosts show.
struct ReturnQuestion {
    const Inventory& inventory;
    const ClusterRecord& record;
    std::string host;
    std::set<std::string> away;  ///< domains that were to be recovered elsewhere when it was fenced
};

struct ReturnFindings {
    /// Nothing can be said yet, and why: it does not answer, or a host that must be asked does not.
    std::string unseen;
    std::vector<Refusal> twice;  ///< active here and elsewhere at once
    /// Active here, although the record has them elsewhere, where they are off: somebody started
    /// them here. They are no duplicates. But what is active behind a storage fence must not get
    /// its disks back: another host has written to them since.
    std::vector<Refusal> astray;
    std::vector<StaleDefinition> stale;  ///< to be taken away
    std::vector<std::string> notes;      ///< for people: definitions that stay, and why
};

/// A definition is stale only when its domain was recovered elsewhere, is shut off here, and the
/// same domain (by its UUID) is active or defined on another host that was just read.
ReturnFindings judge_return(const ReturnQuestion& question,
                            const std::map<std::string, HostReading>& readings);

/// The host's fence devices that cut it off its disks alone, each once.
std::vector<std::string> storage_fences(const Inventory& inventory, const std::string& host);

}  // namespace domkeeper
