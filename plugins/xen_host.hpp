// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/dom0_view.hpp"
#include "lib/core/memory.hpp"
#include "lib/core/range.hpp"
#include "lib/core/result.hpp"
#include "lib/core/xen.hpp"

namespace domkeeper {

/// A Xen host as its own dom0 sees it.
struct XenHostFacts {
    std::optional<XenView> xen;           ///< empty: the hypervisor could not be asked
    std::string xen_trouble;              ///< and why
    std::optional<std::string> messages;  ///< the hypervisor's console ring
    Dom0View dom0;
    std::string vif_trouble;  ///< why the interfaces of guests are not known; empty: they are
};

struct XenHostLimits {
    Threshold memory;        ///< percent of the machine's memory that is free
    Threshold own_memory;    ///< percent of dom0's memory that is available
    Threshold load;          ///< of five minutes, for each processor
    double clock_error = 1;  ///< seconds
    bool watchdog = false;
    std::vector<std::string> daemons;
    std::vector<std::string> live_migration;  ///< "pv", "hvm": kinds that must be movable live
};

/// Options of --local.
std::vector<Option> xen_host_options();
/// Thresholds of memory come from the options that check_dom0 has anyway.
XenHostLimits read_xen_host_limits(const Arguments& arguments, const Threshold& memory);

/// Memory of the hypervisor and of dom0, load, daemons, what would start by itself, the clock, the
/// bridges of guests, what the hypervisor said since the last run, and what it can move live.
CheckResult judge_xen_host(const XenHostFacts& facts, const XenHostLimits& limits,
                           const Recall& recall);

/// Lines of the ring that came since the last run and tell of trouble, at most `limit`, oldest
/// first; none at the first run. Without a memory none.
std::vector<std::string> new_alarms(const std::string& messages, const Recall& recall,
                                    std::size_t limit);

}  // namespace domkeeper
