// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"

namespace domkeeper {

/// The option table of fence_pdu: the names and letters of fence_apc_snmp.
Program pdu_agent_table();

}  // namespace domkeeper
