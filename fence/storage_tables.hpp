// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"

namespace domkeeper {

/// fence_aoe: its name, texts and the options of the device itself.
Program aoe_agent_table();
/// The same of fence_iscsi.
Program iscsi_agent_table();

}  // namespace domkeeper
