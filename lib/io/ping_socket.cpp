// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/ping_socket.hpp"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace domkeeper {
namespace {

/// linux/icmp.h; that header can't be included beside netinet/ip_icmp.h.
constexpr int icmp_filter_option = 1;

const sockaddr* as_sockaddr(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr*>(address.bytes.data());
}

template <typename T>
T bytes_as(const SocketAddress& address) {
    T out{};
    std::memcpy(&out, address.bytes.data(), sizeof out);
    return out;
}

/// A raw socket hears all of the machine's ICMP: let only echo replies through.
void filter_replies(int fd, IpVersion version) {
    if (version == IpVersion::V4) {
        const std::uint32_t all_but_replies = ~std::uint32_t{1};
        setsockopt(fd, SOL_RAW, icmp_filter_option, &all_but_replies, sizeof all_but_replies);
    } else {
        icmp6_filter filter;
        std::memset(&filter, 0xFF, sizeof filter);
        // The macros of RFC 3542 use old casts.
        filter.icmp6_filt[ICMP6_ECHO_REPLY >> 5] &= ~(1U << (ICMP6_ECHO_REPLY & 31));
        setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
    }
}

}  // namespace

PingSocket::PingSocket(IpVersion version) : version_(version) {
    const int family = version == IpVersion::V4 ? AF_INET : AF_INET6;
    const int protocol = version == IpVersion::V4 ? static_cast<int>(IPPROTO_ICMP)
                                                  : static_cast<int>(IPPROTO_ICMPV6);
    constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    fd_.reset(socket(family, SOCK_DGRAM | flags, protocol));
    if (!fd_) {
        fd_.reset(socket(family, SOCK_RAW | flags, protocol));
        raw_ = static_cast<bool>(fd_);
    }
    if (!fd_) {
        trouble_ = std::string("ping: ") + std::strerror(errno);
        return;
    }
    if (raw_) {
        filter_replies(fd_.get(), version);
        if (getrandom(&id_, sizeof id_, GRND_INSECURE) != sizeof id_) id_ = 1;
    }
}

int PingSocket::send(const SocketAddress& to, std::uint16_t sequence, const EchoCookie& cookie) {
    SocketAddress address = to;
    if (address.ipv6 && raw_) {
        // A raw socket takes the port for the protocol (raw(7)).
        auto in6 = bytes_as<sockaddr_in6>(address);
        in6.sin6_port = 0;
        std::memcpy(address.bytes.data(), &in6, sizeof in6);
    }
    const auto packet = encode_echo_request({id_, sequence, cookie}, version_);
    for (;;) {
        if (sendto(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL, as_sockaddr(address),
                   address.length) >= 0)
            return 0;
        if (errno != EINTR) return errno;
    }
}

void PingSocket::receive(const std::function<void(const SocketAddress&, const Echo&)>& take) {
    std::array<std::uint8_t, 512> packet;
    // Bounded, so that a flood can't keep us here.
    for (int i = 0; i < 1000; ++i) {
        SocketAddress from;
        socklen_t length = static_cast<socklen_t>(from.bytes.size());
        const ssize_t got = recvfrom(fd_.get(), packet.data(), packet.size(), 0,
                                     reinterpret_cast<sockaddr*>(from.bytes.data()), &length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return;
        from.length = length;
        from.ipv6 = version_ == IpVersion::V6;
        const auto echo = decode_echo_reply({packet.data(), static_cast<std::size_t>(got)},
                                            version_, raw_ && version_ == IpVersion::V4);
        // The system gives a ping socket an id of its own and hands it only replies to that.
        if (echo && (!raw_ || echo->id == id_)) take(from, *echo);
    }
}

bool same_host(const SocketAddress& a, const SocketAddress& b) {
    if (a.ipv6 != b.ipv6) return false;
    if (!a.ipv6)
        return bytes_as<sockaddr_in>(a).sin_addr.s_addr == bytes_as<sockaddr_in>(b).sin_addr.s_addr;
    const auto left = bytes_as<sockaddr_in6>(a);
    const auto right = bytes_as<sockaddr_in6>(b);
    return std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof left.sin6_addr) == 0;
}

}  // namespace domkeeper
