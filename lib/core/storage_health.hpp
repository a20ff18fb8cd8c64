// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/inventory.hpp"

namespace domkeeper {

/// What a look at a storage node from the monitoring node came to.
struct StorageReport {
    std::string name;  ///< of the node in the inventory
    std::set<std::string>
        down;  ///< units that are gone, or did not answer although they were asked
    /// False: nothing could be asked (no permission, no interface, login refused): silence then
    /// means nothing, and nothing is down.
    bool asked = true;
    std::string evidence;  ///< printable
};

/// The units of a storage node, as lib/core/domain_disks names them.
std::set<std::string> storage_units(const StorageNode& storage);

/// Why no host could run the domain of this definition now: which of its disks is on storage that
/// is down. A disk belongs to a storage node when it is one of the node's units, or its path lies
/// under one of the node's `paths`; of any other disk nothing is known, and it speaks against
/// nothing. Empty: nothing is known against it.
std::optional<std::string> stranded(const Inventory& inventory,
                                    const std::vector<StorageReport>& reports,
                                    std::string_view xml);

/// True when some disk of this definition is on a storage node of the inventory, or nobody can say.
bool uses_storage(const Inventory& inventory, std::string_view xml);

/// "san1 is down (10.0.0.9:3260 refuses the connection)" of each node that is down in part or
/// whole; empty: none is.
std::string storage_trouble(const std::vector<StorageReport>& reports);

}  // namespace domkeeper
