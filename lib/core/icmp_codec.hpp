// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace domkeeper {

/// The payload by which an echo of ours is known again: random, so that nobody who does not see
/// the request can answer it.
using EchoCookie = std::array<std::uint8_t, 24>;

/// An ICMP echo message (RFC 792) or its sibling of ICMPv6 (RFC 4443, 4.1).
struct Echo {
    std::uint16_t id = 0;
    std::uint16_t sequence = 0;
    EchoCookie cookie{};

    friend bool operator==(const Echo&, const Echo&) = default;
};

enum class IpVersion { V4, V6 };

/// An echo request. The checksum is filled in for V4; of V6 the system makes it.
std::vector<std::uint8_t> encode_echo_request(const Echo& echo, IpVersion version);

/// An echo reply whose payload has exactly the length of a cookie; nullopt for any other message,
/// a cut one, or, for V4, one with a wrong checksum. `with_ip_header`: an IPv4 header of any
/// legal length comes first, as a raw socket delivers it.
std::optional<Echo> decode_echo_reply(std::span<const std::uint8_t> packet, IpVersion version,
                                      bool with_ip_header);

}  // namespace domkeeper
