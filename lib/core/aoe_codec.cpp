// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/aoe_codec.hpp"

#include <algorithm>
#include <charconv>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

using Frame = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

constexpr std::uint16_t ether_type = 0x88A2;
constexpr std::uint8_t version_1 = 0x10;
constexpr std::uint8_t response_flag = 0x08;
constexpr std::uint8_t error_flag = 0x04;

// Where things stand in a frame (AoEr11, 2, 3, 4; the lists are those of its extensions).
constexpr std::size_t type_at = 12, flags_at = 14, error_at = 15, shelf_at = 16, slot_at = 18,
                      command_at = 19, tag_at = 20, body_at = 24;
constexpr std::size_t ata_size = body_at + 12, config_size = body_at + 8, mask_size = body_at + 4,
                      reserve_size = body_at + 2;
constexpr std::size_t mac_size = 6, mask_entry_size = 8;
constexpr std::size_t longest_config = 1024;
constexpr std::size_t longest_list = 255;
/// Ethernet's least length without its checksum.
constexpr std::size_t least_frame = 60;

constexpr std::uint8_t ata_identify = 0xEC, ata_read_ext = 0x24, ata_lba48 = 0x40;

std::uint16_t word_at(View bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint16_t little_word_at(View bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at + 1] << 8 | bytes[at]);
}

void put_word(Frame& bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value & 0xFF);
}

MacAddress mac_at(View bytes, std::size_t at) {
    MacAddress mac;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
    return mac;
}

void put_mac(Frame& bytes, std::size_t at, const MacAddress& mac) {
    std::copy(mac.begin(), mac.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

Frame encode_header(const AoeHeader& header, AoeCommand command, std::size_t size) {
    Frame out(std::max(size, least_frame));
    put_mac(out, 0, header.to);
    put_mac(out, 6, header.from);
    put_word(out, type_at, ether_type);
    out[flags_at] = version_1;
    put_word(out, shelf_at, header.address.shelf);
    out[slot_at] = header.address.slot;
    out[command_at] = static_cast<std::uint8_t>(command);
    put_word(out, tag_at, static_cast<std::uint16_t>(header.tag >> 16));
    put_word(out, tag_at + 2, static_cast<std::uint16_t>(header.tag & 0xFFFF));
    return out;
}

std::optional<AoeConfigReply> decode_config(View frame) {
    if (frame.size() < config_size) return std::nullopt;
    AoeConfigReply out;
    out.buffers = word_at(frame, body_at);
    out.firmware = word_at(frame, body_at + 2);
    out.max_sectors = frame[body_at + 4];
    out.version = frame[body_at + 5] >> 4;
    const std::size_t length = word_at(frame, body_at + 6);
    if (length > longest_config || frame.size() < config_size + length) return std::nullopt;
    const View text = frame.subspan(config_size, length);
    out.config.assign(text.begin(), text.end());
    return out;
}

std::optional<AoeMaskReply> decode_mask(View frame) {
    if (frame.size() < mask_size) return std::nullopt;
    AoeMaskReply out;
    out.error = frame[body_at + 2];
    const std::size_t count = frame[body_at + 3];
    if (frame.size() < mask_size + count * mask_entry_size) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i)
        out.hosts.push_back(mac_at(frame, mask_size + i * mask_entry_size + 2));
    return out;
}

std::optional<AoeReserveReply> decode_reserve(View frame) {
    if (frame.size() < reserve_size) return std::nullopt;
    AoeReserveReply out;
    const std::size_t count = frame[body_at + 1];
    if (frame.size() < reserve_size + count * mac_size) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i)
        out.hosts.push_back(mac_at(frame, reserve_size + i * mac_size));
    return out;
}

/// Text in words of 16 bits, the first letter in the high half, filled up with spaces.
std::string ata_text(View data, std::size_t at, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; i += 2) {
        out += static_cast<char>(data[at + i + 1]);
        out += static_cast<char>(data[at + i]);
    }
    if (const std::size_t zero = out.find('\0'); zero != std::string::npos) out.erase(zero);
    return std::string(trim(out));
}

template <typename Number>
std::optional<Number> number_below(std::string_view text, Number limit) {
    Number value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end || value >= limit) return std::nullopt;
    return value;
}

}  // namespace

std::optional<MacAddress> parse_mac(std::string_view text) {
    const std::size_t step = text.size() == 12 ? 2 : 3;
    if (text.size() != 12 && text.size() != 17) return std::nullopt;
    MacAddress mac;
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const char* const begin = text.data() + i * step;
        const auto [stop, error] = std::from_chars(begin, begin + 2, mac[i], 16);
        if (error != std::errc{} || stop != begin + 2) return std::nullopt;
        if (step == 3 && i > 0) {
            const char before = text[i * step - 1];
            if ((before != ':' && before != '-') || before != text[2]) return std::nullopt;
        }
    }
    return mac;
}

std::string render_mac(const MacAddress& mac) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t byte : mac) {
        if (!out.empty()) out += ':';
        out += digits[byte >> 4];
        out += digits[byte & 0x0F];
    }
    return out;
}

bool is_unicast(const MacAddress& mac) {
    return (mac[0] & 0x01) == 0 && mac != MacAddress{};
}

std::optional<AoeAddress> parse_aoe_address(std::string_view text) {
    if (starts_with(text, "e")) text.remove_prefix(1);
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto shelf = number_below<std::uint16_t>(text.substr(0, dot), aoe_everybody.shelf);
    const auto slot = number_below<std::uint8_t>(text.substr(dot + 1), aoe_everybody.slot);
    if (!shelf || !slot) return std::nullopt;
    return AoeAddress{*shelf, *slot};
}

std::string render_aoe_address(AoeAddress address) {
    return std::to_string(address.shelf) + "." + std::to_string(address.slot);
}

std::string aoe_error_text(AoeError error) {
    switch (error) {
        case AoeError::BadCommand: return "the target does not know the command";
        case AoeError::BadArgument: return "the target does not take the argument";
        case AoeError::DeviceUnavailable: return "the target can't reach its disk";
        case AoeError::ConfigPresent: return "a config string is set already";
        case AoeError::BadVersion: return "the target speaks another version of AoE";
        case AoeError::Reserved: return "the target is reserved for other hosts";
    }
    return "AoE error " + std::to_string(static_cast<unsigned>(error));
}

std::vector<std::uint8_t> encode_aoe_config_query(const AoeHeader& header) {
    return encode_header(header, AoeCommand::Config, config_size);
}

std::vector<std::uint8_t> encode_aoe_identify(const AoeHeader& header) {
    Frame out = encode_header(header, AoeCommand::Ata, ata_size);
    out[body_at + 2] = 1;
    out[body_at + 3] = ata_identify;
    return out;
}

std::vector<std::uint8_t> encode_aoe_read(const AoeHeader& header, std::uint64_t lba) {
    Frame out = encode_header(header, AoeCommand::Ata, ata_size);
    out[body_at] = ata_lba48;
    out[body_at + 2] = 1;
    out[body_at + 3] = ata_read_ext;
    for (std::size_t i = 0; i < 6; ++i)
        out[body_at + 4 + i] = static_cast<std::uint8_t>(lba >> (8 * i) & 0xFF);
    return out;
}

std::vector<std::uint8_t> encode_aoe_mask_query(const AoeHeader& header) {
    return encode_header(header, AoeCommand::MacMask, mask_size);
}

std::vector<std::uint8_t> encode_aoe_reserve(const AoeHeader& header, ReserveAction action,
                                             const std::vector<MacAddress>& hosts) {
    if (hosts.size() > longest_list) return {};
    Frame out = encode_header(header, AoeCommand::Reserve, reserve_size + hosts.size() * mac_size);
    out[body_at] = static_cast<std::uint8_t>(action);
    out[body_at + 1] = static_cast<std::uint8_t>(hosts.size());
    for (std::size_t i = 0; i < hosts.size(); ++i)
        put_mac(out, reserve_size + i * mac_size, hosts[i]);
    return out;
}

std::optional<AoeReply> decode_aoe_reply(View frame) {
    if (frame.size() < body_at || word_at(frame, type_at) != ether_type) return std::nullopt;
    const std::uint8_t flags = frame[flags_at];
    if ((flags & 0xF0) != version_1 || (flags & response_flag) == 0) return std::nullopt;
    AoeReply reply;
    reply.header.to = mac_at(frame, 0);
    reply.header.from = mac_at(frame, 6);
    reply.header.address = {word_at(frame, shelf_at), frame[slot_at]};
    reply.header.tag =
        static_cast<std::uint32_t>(word_at(frame, tag_at)) << 16 | word_at(frame, tag_at + 2);
    // A reply comes from one card of one target.
    if (!is_unicast(reply.header.from) || reply.header.address.shelf == aoe_everybody.shelf ||
        reply.header.address.slot == aoe_everybody.slot)
        return std::nullopt;
    if (frame[command_at] > static_cast<std::uint8_t>(AoeCommand::Reserve)) return std::nullopt;
    reply.command = static_cast<AoeCommand>(frame[command_at]);
    if ((flags & error_flag) != 0) {
        reply.error = static_cast<AoeError>(frame[error_at]);
        return reply;
    }
    const auto take = [&reply](auto body) {
        if (body) reply.body = std::move(*body);
        return body.has_value();
    };
    bool good = false;
    switch (reply.command) {
        case AoeCommand::Ata:
            if (frame.size() < ata_size) return std::nullopt;
            reply.body =
                AoeAtaReply{frame[body_at + 3], frame[body_at + 1], frame.subspan(ata_size)};
            good = true;
            break;
        case AoeCommand::Config: good = take(decode_config(frame)); break;
        case AoeCommand::MacMask: good = take(decode_mask(frame)); break;
        case AoeCommand::Reserve: good = take(decode_reserve(frame)); break;
    }
    if (!good) return std::nullopt;
    return reply;
}

bool is_aoe_request(View frame) {
    return frame.size() >= body_at && word_at(frame, type_at) == ether_type &&
           (frame[flags_at] & 0xF0) == version_1 && (frame[flags_at] & response_flag) == 0;
}

std::optional<AtaIdentity> decode_identity(View data) {
    if (data.size() < 512) return std::nullopt;
    AtaIdentity out;
    // Words 10, 23 and 27; 83 bit 10 says that words 100 to 103 count, else it is 60 and 61.
    out.serial = ata_text(data, 20, 20);
    out.firmware = ata_text(data, 46, 8);
    out.model = ata_text(data, 54, 40);
    const bool lba48 = (little_word_at(data, 83 * 2) & 1U << 10) != 0;
    const std::size_t first = lba48 ? 100 : 60;
    const std::size_t words = lba48 ? 3 : 2;
    for (std::size_t i = 0; i < words; ++i)
        out.sectors |= std::uint64_t{little_word_at(data, (first + i) * 2)} << (16 * i);
    return out;
}

}  // namespace domkeeper
