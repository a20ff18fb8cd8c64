// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/app/fencing.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// What was seen of one device of one host.
struct DeviceFacts {
    std::string device;
    PowerReading reading;
    Duration took{0};
    Coverage covers;  ///< what its Off would prove
};

/// One host and its devices.
struct HostFenceFacts {
    std::string host;
    bool alive = false;  ///< it answered a look of our own
    std::vector<DeviceFacts> devices;
};

/// What the facts mean: see check_fence(8).
CheckResult judge_fence_devices(const std::vector<HostFenceFacts>& hosts);

/// Reads all devices of all hosts, or of one, side by side, and looks whether the hosts live. Ends
/// by the deadline. Throws UsageError for an unknown host.
CheckResult check_fence_devices(const Inventory& inventory, const std::string& only,
                                Deadline deadline);

}  // namespace domkeeper
