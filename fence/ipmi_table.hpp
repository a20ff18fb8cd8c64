// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"

namespace domkeeper {

/// What fence_ipmi is and the options of its device, named as those of fence_ipmilan.
Program ipmi_agent_table();

}  // namespace domkeeper
