// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// All options of check_domu.
std::vector<Option> domu_options();

/// One run of check_domu: over libvirt, or with --local on the dom0 itself, where the hypervisor
/// and xenstored are asked too.
CheckResult run_domu_round(const Arguments& arguments, Deadline deadline);

}  // namespace domkeeper
