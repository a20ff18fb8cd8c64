// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "plugins/domu.hpp"
#include "plugins/target.hpp"

namespace domkeeper {

/// What is wanted of the target: the domains named, else what the cluster file (with the record
/// of what ran where) says, else nothing in particular. A record that is not there or can't be
/// read is done without, and `note` says so. Waits at most 2 s for a locked record.
Expectations read_expectations(const Target& target, const std::vector<std::string>& named);

}  // namespace domkeeper
