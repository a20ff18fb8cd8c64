// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>

#include "lib/core/inventory.hpp"
#include "lib/io/ipmi_manner.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

/// The switch of one BMC over the network. Options: ip, ipport (623), username, cipher, privlvl,
/// lanplus, auth, hexadecimal_kg, target, inet4_only, inet6_only; those of the agent itself
/// (timeouts, plug, method, ...) are accepted and left to it. Old names of the fence agent API are
/// understood. Opens no connection yet. Throws UsageError for a bad option.
///
/// Its calls keep one session, opened by the first, which takes 2-5 ms. They end at their deadline
/// also when the library does not. A BMC that needs another cipher suite, privilege level or one
/// of libfreeipmi's workarounds is found out by trying.
std::unique_ptr<PowerSwitch> open_ipmi_switch(const FenceDevice& device, std::string password,
                                              std::shared_ptr<IpmiMemory> memory);

}  // namespace domkeeper
