// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/record.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// One host of the cluster file as it was found.
struct HostFacts {
    std::string name{};
    std::optional<HostView> view{};  ///< empty: it did not answer
    std::string trouble{};           ///< why not
};

/// What the journal and the worker's lock say.
struct ControlFacts {
    Arming arming{};
    std::vector<Incident> unfinished{};
    bool worker_lives = false;
    std::vector<Maintenance> marks{};  ///< hosts in maintenance
    std::string trouble{};             ///< why none of it is known; empty: it is
};

/// A whole cluster at one moment.
struct ClusterFacts {
    TimePoint now{};
    std::vector<HostFacts> hosts{};  ///< in the cluster file's order
    ClusterRecord record{};          ///< as it was before this reading
    std::string record_trouble{};    ///< why it could not be read or written; empty: it was
    /// Definitions that could not be read, by domain, and why.
    std::map<std::string, std::string> definition_troubles{};
    /// Persistent domains whose definition is no longer the one that was recorded.
    std::set<std::string> changed_definitions{};
    ControlFacts control{};
    Duration took{0};
};

/// A domain that may hold its disks open where it was seen.
bool is_live(const DomainView& domain);

/// Where each live domain belongs, by name: the host where it runs; of several, the one that the
/// record names. The receiving end of a migration counts only where nothing else is seen.
std::map<std::string, std::string> owners_of(const std::vector<HostFacts>& hosts,
                                             const ClusterRecord& record);

/// True when a second look is worth its time before anything is believed: a domain that seems to
/// run twice, or one that was live and is gone, may have moved between two readings.
bool needs_second_look(const Inventory& inventory, const std::vector<HostFacts>& hosts,
                       const ClusterRecord& record);

/// Hosts, expected domains, doubles, strangers, autostart, record, arming, incidents, and whether
/// the rest could carry the domains of any lost host. A host that
/// does not answer is Unknown here; whether it is down is for the host check to say.
CheckResult judge_cluster(const Inventory& inventory, const ClusterFacts& facts,
                          const PackingSearch& search = {});

}  // namespace domkeeper
