// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// One run of check_dom0: over libvirt, or with --local on the dom0 itself.
CheckResult run_dom0_round(const Arguments& arguments, Deadline deadline);

}  // namespace domkeeper
