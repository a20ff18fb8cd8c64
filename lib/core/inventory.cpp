// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory.hpp"

#include <algorithm>

#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"

namespace domkeeper {
namespace {

template <typename T>
const T* find_named(const std::vector<T>& things, const std::string& name) {
    const auto found =
        std::find_if(things.begin(), things.end(), [&](const T& t) { return t.name == name; });
    return found == things.end() ? nullptr : &*found;
}

}  // namespace

int rank_of(const Domain& domain) {
    // Wider than from the least priority to the greatest.
    constexpr int step = 10'000'000;
    switch (domain.domain_class) {
        case DomainClass::BestEffort: return domain.priority - step;
        case DomainClass::Normal: return domain.priority;
        case DomainClass::MustRun: return domain.priority + step;
    }
    return domain.priority;
}

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
    return domain.hosts.empty() || contains(domain.hosts, host_name);
}

std::optional<GuestSign> parse_guest_sign(std::string_view text) {
    if (text == "agent") return GuestSign{};
    const std::vector<std::string> words = split(text, ' ');
    if (words.size() != 2 || words[1].empty()) return std::nullopt;
    const auto is_plain = [](const std::string& address) {
        return !address.empty() && address.size() <= 255 &&
               std::all_of(address.begin(), address.end(), [](char c) {
                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == ':' || c == '%';
               });
    };
    if (words[0] == "ping") {
        if (!is_plain(words[1])) return std::nullopt;
        return GuestSign{words[1], 0};
    }
    const auto colon = words[1].rfind(':');
    if (words[0] != "tcp" || colon == std::string::npos) return std::nullopt;
    std::string address = words[1].substr(0, colon);
    const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (bracketed) address = address.substr(1, address.size() - 2);
    const auto port = parse_integer(words[1].substr(colon + 1));
    if (!is_plain(address) || !port || *port < 1 || *port > 65535) return std::nullopt;
    // An address of IPv6 without brackets can't be told from its port.
    if (!bracketed && address.find(':') != std::string::npos) return std::nullopt;
    return GuestSign{address, static_cast<int>(*port)};
}

std::string render_guest_sign(const GuestSign& sign) {
    if (sign.by_agent()) return "agent";
    if (sign.port == 0) return "ping " + sign.address;
    return "tcp " + render_endpoint(sign.address, sign.port);
}

}  // namespace domkeeper
