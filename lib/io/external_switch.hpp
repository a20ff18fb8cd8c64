// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>

#include "lib/core/inventory.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

/// A fence agent of the system (ClusterLabs fence agent API), run for each call and spoken to over
/// its standard input, so that no secret is in a command line. What it says is believed: status 0
/// is on, 2 is off. Throws UsageError for a path that is_external_agent() does not allow, Denied
/// when anybody but root could have written the program.
std::unique_ptr<PowerSwitch> open_external_switch(const FenceDevice& device, std::string password);

}  // namespace domkeeper
