// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/port/storage_prober.hpp"

namespace domkeeper {

/// Looks at storage as the domains use it: iSCSI by login and TEST UNIT READY of each unit, AoE by
/// config query, identify and one read of each target. All units of all nodes at the same time.
///
/// A unit is down when it was asked and is silent, refuses the connection, has gone, hangs or is
/// not ready. A node counts as not asked when the fault is on this side (no route, no interface, no
/// permission, no password) or the target refuses this login: then nothing of it is down.
class NetworkStorage final : public StorageProber {
  public:
    std::vector<StorageReport> look(const std::vector<StorageNode>& storages,
                                    Deadline deadline) override;
};

}  // namespace domkeeper
