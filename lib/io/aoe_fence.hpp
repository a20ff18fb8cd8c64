// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "lib/core/inventory.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

/// Cuts a host off its AoE disks: each target is told whom it may serve (reserve/release), and
/// asked again. Options: disks ("e7.1 e7.2"), interface (of this machine), plug (MAC addresses of
/// the host's cards), hosts (those of all hosts that may use the disks, when none is cut off).
///
/// Off: every target is reserved, for none of the host's cards and for none that is no host's. On:
/// every target would serve it. This machine's own card is let in whenever somebody is cut off, so
/// that checks still can read. A target forgets all this when it is started again, and cards can be
/// forged: it stops a host that is dead or hangs, not a malicious one. Opens no socket yet. Throws
/// UsageError.
std::unique_ptr<PowerSwitch> open_aoe_fence(const FenceDevice& device);

}  // namespace domkeeper
