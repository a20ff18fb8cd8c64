// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/all_hosts.hpp"

#include "lib/core/error.hpp"

namespace domkeeper {

std::vector<WalkItem<HostView>> read_hosts(
    const std::vector<std::shared_ptr<Hypervisor>>& hypervisors, Deadline deadline) {
    return at_all_hosts<HostView>(
        hypervisors.size(), deadline,
        [hypervisors, deadline](std::size_t i) { return hypervisors[i]->read_host(deadline); });
}

std::string trouble_of(const std::exception_ptr& error) {
    if (!error) return "no answer in time";
    try {
        std::rethrow_exception(error);
    } catch (const Error& e) {
        return e.what();
    }
}

}  // namespace domkeeper
