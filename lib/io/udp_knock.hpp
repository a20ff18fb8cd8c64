// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "lib/core/time.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {

/// Sends one datagram from a socket of its own, only to hear whether the network refuses it: a
/// socket that is not connected, as most libraries have it, is never told. Why nothing can arrive
/// there
/// ("nothing listens there"); empty: nobody said so within `patience`, which is the longest this
/// blocks, or somebody answered.
std::optional<std::string> knock_udp(const SocketAddress& address,
                                     std::span<const std::uint8_t> datagram, Duration patience);

}  // namespace domkeeper
