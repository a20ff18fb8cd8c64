// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/app/cli.hpp"
#include "lib/core/inventory.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

/// Makes the switch of one device with its password. Throws as PowerSwitches::open() does.
using OpenSwitch =
    std::function<std::unique_ptr<PowerSwitch>(const FenceDevice& device, std::string password)>;

/// A fence agent for devices with a switch for power, one or several at the addresses in --ip, as
/// the fence agent API of ClusterLabs wants it. `program.options` are the rows of the device
/// itself, which go to the switch of the agent of that name; the rows that every power agent has
/// are added: action, plug, password (and its file and script), the API's delays and timeouts,
/// method, json. The agent is handed its own `open` alone, so that it is linked with no library of
/// the others: loading those takes longer than asking the device.
///
/// Exit codes: 0 done (status: on), 2 status: off, 1 failed, with one line on standard error, or
/// with --json one object on standard output. `off` ends with 0 only when the device was read off
/// after all was done; `reboot` when its off part was.
int run_power_agent(Program program, OpenSwitch open, int argc, char** argv);

}  // namespace domkeeper
