// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/maintenance_plan.hpp"

namespace domkeeper {

/// What a host carries, as shares of what it has.
struct HostShare {
    std::string host;
    Bytes memory;         ///< for domains: all of it less the reserve
    Bytes memory_used;    ///< by the maximum of each active domain
    int cpus = 0;         ///< 0: unknown
    int vcpus = 0;        ///< of all active domains
    bool closed = false;  ///< in maintenance: neither gives nor takes

    double memory_share() const;
    double vcpu_share() const;  ///< virtual CPUs for each CPU; 0 where that is unknown
};

/// The shares of all hosts that were read, in the cluster file's order.
std::vector<HostShare> shares_of(const MaintenanceQuestion& question, const Survey& survey);

/// The same when these moves are done.
std::vector<HostShare> shares_after(std::vector<HostShare> shares,
                                    const std::vector<PlannedMove>& moves, const Survey& survey);

/// The difference between the highest and the lowest share of the open hosts.
double memory_spread(const std::vector<HostShare>& shares);
/// The same for virtual CPUs, as part of the highest share. Hosts with a CPU for each virtual one
/// count as equal: they need no evening out.
double vcpu_spread(const std::vector<HostShare>& shares);

/// Moves that even the load out, in the order in which they should begin. A domain moves only live,
/// at most once, from a host to one that carries less by more than the policy's balance_tolerance,
/// and only where that makes the whole more even. A domain that may run on a host which was not
/// read stays: it may be active there. No move takes a domain off a host that it prefers, breaks a
/// rule, or makes a loss unsurvivable that could be survived before. When all hosts are within the
/// tolerance there is nothing to do: the plan is empty. Deterministic.
MaintenancePlan plan_balance(const MaintenanceQuestion& question, const Survey& survey);

}  // namespace domkeeper
