// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/port/hypervisor.hpp"
#include "lib/port/journal.hpp"
#include "plugins/cluster.hpp"

namespace domkeeper {

/// How long a round may take.
struct ClusterLimits {
    Deadline deadline;
    Duration host_time{2'000};  ///< for each look at the hosts, all of them at once
};

/// Reads all hosts side by side, looks a second time where that is worth it, reads the definitions
/// that are due, and writes the record of each host that answered. A host that hangs costs
/// `host_time` and nothing else. `now` is when the reading begins. Never throws an Error: what
/// went wrong is in the facts. `control` is left as it is.
ClusterFacts read_cluster(const Inventory& inventory, Hypervisors& hypervisors,
                          RecordStore* records, TimePoint now, ClusterLimits limits);

/// UUIDs of the domains whose definitions are to be read now: all whose definition is not known
/// or surely old (other UUID, memory, processors or persistence), and of the others at most
/// `at_once`, another window of them each second, so that a change is seen soon and a round stays
/// cheap with any number of domains.
std::vector<std::string> definitions_due(const std::vector<const DomainView*>& domains,
                                         const ClusterRecord& record, TimePoint now,
                                         std::size_t at_once = 32);

}  // namespace domkeeper
