// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/storage_health.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// Looks at storage nodes from the monitoring node, all at once.
class StorageProber {
  public:
    virtual ~StorageProber() = default;
    /// Returns one report a node, in order, at the deadline at the latest. It reads alone. Never
    /// throws for a node that is silent or can't be asked.
    virtual std::vector<StorageReport> look(const std::vector<StorageNode>& storages,
                                            Deadline deadline) = 0;
};

}  // namespace domkeeper
