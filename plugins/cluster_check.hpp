// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include "lib/app/run.hpp"
#include "lib/core/inventory.hpp"

namespace domkeeper {

using ClusterCheck = std::function<CheckResult(const Inventory&, const Arguments&, Deadline)>;

/// The rest of the process of a check that looks at the whole cluster: reads the cluster file that
/// --config names and runs `check` on it. Ends without destructors, since threads may still hang in
/// the library of a hypervisor or a device.
[[noreturn]] void run_cluster_check(const Program& program, int argc, char** argv,
                                    const ClusterCheck& check);

}  // namespace domkeeper
