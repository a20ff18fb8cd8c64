// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

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

std::vector<int> probe_ports(const Host& host) {
    constexpr int ssh = 22;
    const auto scheme_end = host.uri.find("://");
    if (scheme_end == std::string::npos) return {ssh};
    const std::string scheme = host.uri.substr(0, scheme_end);
    std::string authority = host.uri.substr(scheme_end + 3);
    authority = authority.substr(0, authority.find_first_of("/?"));
    int port = ssh;
    if (scheme.find("+tcp") != std::string::npos) port = 16509;
    // A URI with a host and no transport means TLS.
    if (scheme.find("+tls") != std::string::npos || scheme.find('+') == std::string::npos)
        port = 16514;
    const auto colon = authority.rfind(':');
    if (colon != std::string::npos && authority.find(']', colon) == std::string::npos)
        if (const auto given = parse_integer(authority.substr(colon + 1)))
            if (*given > 0 && *given < 65536) port = static_cast<int>(*given);
    return port == ssh ? std::vector<int>{ssh} : std::vector<int>{port, ssh};
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
