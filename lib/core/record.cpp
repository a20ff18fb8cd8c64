// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/record.hpp"

#include <algorithm>

namespace domkeeper {

const HostRecord* ClusterRecord::find_host(const std::string& host) const {
    const auto found =
        std::find_if(hosts.begin(), hosts.end(), [&](const auto& h) { return h.host == host; });
    return found == hosts.end() ? nullptr : &*found;
}

const DomainRecord* ClusterRecord::find_domain(const std::string& name) const {
    const auto found =
        std::find_if(domains.begin(), domains.end(), [&](const auto& d) { return d.name == name; });
    return found == domains.end() ? nullptr : &*found;
}

Labels ClusterRecord::offers_of(const std::string& host) const {
    const HostRecord* const known = find_host(host);
    return known == nullptr ? Labels{} : known->offers;
}

}  // namespace domkeeper
