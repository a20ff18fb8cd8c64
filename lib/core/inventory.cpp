// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory.hpp"

#include <algorithm>

namespace domkeeper {
namespace {

template <typename T>
const T* find_named(const std::vector<T>& things, const std::string& name) {
    const auto found =
        std::find_if(things.begin(), things.end(), [&](const T& t) { return t.name == name; });
    return found == things.end() ? nullptr : &*found;
}

}  // namespace

int Policy::quorum() const {
    if (witnesses_needed) return *witnesses_needed;
    return witnesses.empty() ? 0 : static_cast<int>(witnesses.size() / 2 + 1);
}

const Host* Inventory::find_host(const std::string& host_name) const {
    return find_named(hosts, host_name);
}
const FenceDevice* Inventory::find_device(const std::string& device_name) const {
    return find_named(devices, device_name);
}
const Domain* Inventory::find_domain(const std::string& domain_name) const {
    return find_named(domains, domain_name);
}

bool Inventory::may_run(const Domain& domain, const std::string& host_name) const {
    return domain.hosts.empty() ||
           std::find(domain.hosts.begin(), domain.hosts.end(), host_name) != domain.hosts.end();
}

}  // namespace domkeeper
