// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/io/bounded.hpp"
#include "lib/port/hypervisor.hpp"

namespace domkeeper {

/// Runs `work(i)` for all hosts at once, each as bounded as its own port is; a port that breaks
/// its promise is left behind a little later. Same rule of ownership as run_bounded.
template <typename Result, typename Work>
std::vector<WalkItem<Result>> at_all_hosts(std::size_t count, Deadline deadline, Work work) {
    const WalkLimits limits{Deadline{deadline.at + Duration{50}}, Duration{86'400'000}, count,
                            count + 1};
    return bounded_walk<Result>(count, limits, std::move(work));
}

/// Reads all these hypervisors side by side, in their order.
std::vector<WalkItem<HostView>> read_hosts(
    const std::vector<std::shared_ptr<Hypervisor>>& hypervisors, Deadline deadline);

/// Why an item of a walk has no value, in the words of its Error.
std::string trouble_of(const std::exception_ptr& error);

}  // namespace domkeeper
