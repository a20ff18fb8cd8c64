// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/background.hpp"

namespace domkeeper {
namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

struct Answer {
    int error = 0;
    std::vector<SocketAddress> addresses;
};

Answer look_up(const std::string& host, int port, AddressFamily family, int flags) {
    addrinfo hints{};
    hints.ai_family = family == AddressFamily::Ipv4   ? AF_INET
                      : family == AddressFamily::Ipv6 ? AF_INET6
                                                      : AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    Answer answer;
    answer.error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (answer.error != 0) return answer;
    const std::unique_ptr<addrinfo, FreeAddresses> guard(list);
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        SocketAddress address;
        if (one->ai_addrlen > address.bytes.size()) continue;
        std::memcpy(address.bytes.data(), one->ai_addr, one->ai_addrlen);
        address.length = one->ai_addrlen;
        address.ipv6 = one->ai_family == AF_INET6;
        char text[NI_MAXHOST];
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0,
                        NI_NUMERICHOST) == 0)
            address.text = text;
        answer.addresses.push_back(std::move(address));
    }
    return answer;
}

}  // namespace

std::optional<SocketAddress> parse_numeric(const std::string& host, int port,
                                           AddressFamily family) {
    Answer answer = look_up(host, port, family, AI_NUMERICHOST);
    if (answer.error != 0 || answer.addresses.empty()) return std::nullopt;
    return std::move(answer.addresses.front());
}

std::vector<SocketAddress> resolve(const std::string& host, int port, AddressFamily family,
                                   Deadline deadline) {
    if (port < 0 || port > 65535) throw UsageError("port " + std::to_string(port) + " is none");
    const std::string name = printable(host, 80);
    if (host.empty() || host.find('\0') != std::string::npos)
        throw UsageError("\"" + name + "\" is no address");
    Answer answer = look_up(host, port, family, AI_NUMERICHOST);
    if (answer.error == EAI_NONAME) {
        Background<Answer> call([=] { return look_up(host, port, family, 0); });
        if (!call.wait(deadline)) throw TimedOut("no answer to the look-up of " + name);
        answer = call.take();
    }
    if (answer.error == EAI_ADDRFAMILY || answer.error == EAI_NODATA ||
        (answer.error == 0 && answer.addresses.empty()))
        throw Unreachable(name + " has no address of the wanted family");
    if (answer.error != 0) throw Unreachable(name + ": " + gai_strerror(answer.error));
    return std::move(answer.addresses);
}

}  // namespace domkeeper
