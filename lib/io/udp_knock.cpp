// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/udp_knock.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

std::optional<std::string> meaning(int error) {
    switch (error) {
        case ECONNREFUSED: return "nothing listens there (port unreachable)";
        case EHOSTUNREACH: return "no way to that host";
        case ENETUNREACH: return "no way to that network";
        default: return std::nullopt;
    }
}

}  // namespace

std::optional<std::string> knock_udp(const SocketAddress& address,
                                     std::span<const std::uint8_t> datagram, Duration patience) {
    const UniqueFd fd(
        socket(address.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return std::nullopt;
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(address.bytes.data()),
                address.length) != 0 ||
        send(fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0)
        return meaning(errno);
    pollfd waiting{fd.get(), POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return std::nullopt;
    return meaning(error);
}

}  // namespace domkeeper
