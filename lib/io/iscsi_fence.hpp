// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/core/inventory.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

/// The key that the fence itself is registered by while it works, and for as long as nobody else
/// is: "domkeepr".
constexpr std::uint64_t iscsi_fence_key = 0x646F6D6B65657072;

/// Cuts a host off its iSCSI disks by SCSI-3 persistent reservations: who is not registered may not
/// write. Options: disks ("iqn.x:t1/1"), ip and ipport of the portal, username, plug (the key by
/// which the host is registered), hosts (the keys of all hosts), initiator (the name to log in by).
///
/// Off: every disk is reserved for its registrants (types 5 to 8), the host's key is not among
/// them, and nor is one that is no host's. On: some disk is not reserved, or the host is
/// registered. To switch on means to register the host's key on its own sessions, which only the
/// host itself can do: there SG_IO is used on its disks in /dev/disk/by-path. Sends nothing yet.
/// Throws UsageError.
std::unique_ptr<PowerSwitch> open_iscsi_fence(const FenceDevice& device, std::string password);

}  // namespace domkeeper
