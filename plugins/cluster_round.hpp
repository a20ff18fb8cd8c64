// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/result.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// One round of check_cluster on the real ports: libvirt, the record and the journal in the
/// cluster's state folder, the worker's lock. Ends by the deadline.
CheckResult run_cluster_round(const Inventory& inventory, const Arguments& arguments,
                              Deadline deadline);

}  // namespace domkeeper
