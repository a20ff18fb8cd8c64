// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/app/cli.hpp"

namespace domkeeper {

/// Rows that several agents have, by the names and letters of fence_ipmilan and fence_apc_snmp.

/// What to do. Without reboot where "off" leaves the host running: "on" would give it back all that
/// it had in hand, so that off is what is done when nothing is said.
Option action_row(bool with_reboot);

Option ip_row(std::string help);
Option ipport_row(std::string help, std::string port);
Option username_row(std::string help);
Option inet4_only_row();
Option inet6_only_row();

}  // namespace domkeeper
