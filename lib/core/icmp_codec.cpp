// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/icmp_codec.hpp"

#include <algorithm>

namespace domkeeper {
namespace {

constexpr std::size_t header_size = 8;
constexpr std::uint8_t v4_request = 8, v4_reply = 0, v6_request = 128, v6_reply = 129;

std::uint16_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

void put_word(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value & 0xFF);
}

/// RFC 1071. Over a message with its checksum in place the result is 0.
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += word_at(bytes, i);
    if (bytes.size() % 2 == 1) sum += static_cast<std::uint32_t>(bytes.back()) << 8;
    while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::vector<std::uint8_t> encode_echo_request(const Echo& echo, IpVersion version) {
    std::vector<std::uint8_t> out(header_size + echo.cookie.size());
    out[0] = version == IpVersion::V4 ? v4_request : v6_request;
    put_word(out, 4, echo.id);
    put_word(out, 6, echo.sequence);
    std::copy(echo.cookie.begin(), echo.cookie.end(), out.begin() + header_size);
    if (version == IpVersion::V4) put_word(out, 2, checksum(out));
    return out;
}

std::optional<Echo> decode_echo_reply(std::span<const std::uint8_t> packet, IpVersion version,
                                      bool with_ip_header) {
    if (with_ip_header) {
        // RFC 791: version in the high half of the first byte, length in words in the low half.
        if (packet.empty() || packet[0] >> 4 != 4) return std::nullopt;
        const std::size_t length = static_cast<std::size_t>(packet[0] & 0x0F) * 4;
        if (length < 20 || packet.size() < length) return std::nullopt;
        packet = packet.subspan(length);
    }
    Echo echo;
    if (packet.size() != header_size + echo.cookie.size()) return std::nullopt;
    if (packet[0] != (version == IpVersion::V4 ? v4_reply : v6_reply) || packet[1] != 0)
        return std::nullopt;
    if (version == IpVersion::V4 && checksum(packet) != 0) return std::nullopt;
    echo.id = word_at(packet, 4);
    echo.sequence = word_at(packet, 6);
    std::copy_n(packet.begin() + header_size, echo.cookie.size(), echo.cookie.begin());
    return echo;
}

}  // namespace domkeeper
