// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "lib/core/domain.hpp"
#include "lib/core/time.hpp"
#include "lib/io/libvirt_connection.hpp"

namespace domkeeper {

/// The host and all its domains over an open connection. Bounded by the deadline. What the driver
/// can tell in one call for all domains is asked so; only what it can't is asked of each active
/// domain, and nothing that makes a guest's monitor answer unless the guest stands paused on an
/// I/O error. Throws ConnectionLost, TimedOut, Denied, Unreachable or ProtocolError.
HostView read_libvirt_host(const std::shared_ptr<LibvirtConnection>& connection, LibvirtDepth depth,
                           Deadline deadline);

}  // namespace domkeeper
