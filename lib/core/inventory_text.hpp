// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "lib/core/inventory.hpp"

namespace domkeeper {

/// Reads the line-based text form of an inventory, which tests and reports use:
///
///     cluster demo state_dir=/var/lib/domkeeper
///     policy max_hosts_lost=1 witnesses=w1,w2 look_time=400ms
///     host a memory=8GiB reserve=1GiB fence=bmc-a/pdu-a,pdu-b
///     device bmc-a agent=fence_ipmi ip=10.0.0.1
///     domain web1 hosts=a,b priority=100 apart=db prefer=a answers="ping x" restart=always
///     expect=running
///     storage san1 kind=iscsi ip=10.0.0.9 disks=iqn.2026-01.lab:t1/1
///
/// Keys are the fields of Inventory, Policy, Host, FenceDevice and Domain; what is left out keeps
/// its default, and a host's address defaults to its name. Fence levels are separated by '/',
/// devices of one level by ','. Any other key of a device or storage is an option for its agent. A
/// value with spaces, commas, '/' in a list, '=', '#' or quotes is written "so", with \\ \" \n \t
/// \xHH inside. '#' begins a comment. Lines come in any order.
///
/// Throws UsageError "line 3: ..." for the first mistake, among them all that check_inventory()
/// calls an error; its warnings are let pass.
Inventory parse_inventory(std::string_view text);

/// The same text back: parse_inventory(render_inventory(i)) equals `i` for every inventory that
/// check_inventory() has no errors for. Defaults are left out.
std::string render_inventory(const Inventory& inventory);

}  // namespace domkeeper
