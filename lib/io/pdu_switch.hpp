// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/pdu.hpp"
#include "lib/io/snmp_session.hpp"
#include "lib/port/power_switch.hpp"
#include "lib/port/snmp.hpp"

namespace domkeeper {

/// What the options of a device of fence_pdu say.
struct PduOptions {
    SnmpLogin login;
    std::string family;  ///< empty: found out by sysObjectID
    std::vector<std::string> plugs;
};

/// Options: ip, ipport (161), plug, plug_separator (,), family, snmp_version (1), community or
/// community_file, username, snmp_sec_level, snmp_auth_prot, snmp_priv_prot, snmp_priv_passwd or
/// snmp_priv_passwd_file, inet4_only, inet6_only; those of the agent itself are left to it. Throws
/// UsageError for a bad one; Denied or SystemError for a secrets file.
PduOptions parse_pdu_options(const FenceDevice& device, std::string password);

/// The switch of one or more outlets of a strip: off only when all of them read off in one answer.
/// Without a plug it can only list().
std::unique_ptr<PowerSwitch> make_pdu_switch(std::unique_ptr<Snmp> snmp,
                                             std::vector<std::string> plugs,
                                             std::vector<PduFamily> families, bool find_by_model,
                                             Coverage disks);

/// The same over the network, with the installed families. Sends nothing yet. Throws as
/// parse_pdu_options() and load_pdu_family().
std::unique_ptr<PowerSwitch> open_pdu_switch(const FenceDevice& device, std::string password);

}  // namespace domkeeper
