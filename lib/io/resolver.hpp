// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/time.hpp"

namespace domkeeper {

/// An address and port as the socket calls take it.
struct SocketAddress {
    alignas(8) std::array<unsigned char, 128> bytes{};  ///< a sockaddr_storage
    unsigned length = 0;
    bool ipv6 = false;
    std::string text;  ///< the numeric address without the port
};

enum class AddressFamily { Any, Ipv4, Ipv6 };

/// A numeric address; nullopt for a name. Never blocks.
std::optional<SocketAddress> parse_numeric(const std::string& host, int port,
                                           AddressFamily family = AddressFamily::Any);

/// The addresses of a host, best first. A numeric address is answered at once; a name is looked
/// up in a thread that is left at the deadline. Throws Unreachable for an unknown name, TimedOut,
/// UsageError for a port that is none.
std::vector<SocketAddress> resolve(const std::string& host, int port, AddressFamily family,
                                   Deadline deadline);

}  // namespace domkeeper
