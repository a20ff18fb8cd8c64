// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/scsi_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

using View = std::span<const std::uint8_t>;

constexpr std::size_t inquiry_size = 96, capacity_size = 32, mode_size = 192, keys_size = 8192,
                      reservation_size = 24, groups_size = 4096;
/// Blocks of a real disk are 512 or 4096 bytes; the rest is a lie.
constexpr std::uint32_t least_block = 512, largest_block = 65'536;

std::uint64_t number_at(View data, std::size_t at, std::size_t size) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < size; ++i) out = out << 8 | data[at + i];
    return out;
}

void put(std::vector<std::uint8_t>& out, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        out[at + i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)) & 0xFF);
}

std::string text_at(View data, std::size_t at, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size && data[at + i] != 0; ++i)
        out += static_cast<char>(data[at + i]);
    return std::string(trim(out));
}

/// A command of `size` bytes that reads at most `asked`, which it says at `at` in `width` bytes.
ScsiCommand reading(std::size_t size, std::uint8_t code, std::uint8_t action, std::size_t asked,
                    std::size_t at, std::size_t width) {
    ScsiCommand out{.cdb = std::vector<std::uint8_t>(size), .asked = asked};
    out.cdb[0] = code;
    out.cdb[1] = action;
    put(out.cdb, at, asked, width);
    return out;
}

ScsiCommand reserve_in(std::uint8_t action, std::size_t asked) {
    return reading(10, 0x5E, action, asked, 7, 2);
}

struct Meaning {
    std::uint8_t key, asc;
    std::string_view text;
};

constexpr std::array<Meaning, 15> meanings{{
    {0x2, 0x04, "not ready"},
    {0x2, 0x3A, "no medium"},
    {0x3, 0x11, "medium error, unrecovered read"},
    {0x3, 0x00, "medium error"},
    {0x4, 0x00, "hardware error"},
    {0x5, 0x20, "command not known"},
    {0x5, 0x21, "no such block"},
    {0x5, 0x24, "field in the command not allowed"},
    {0x5, 0x25, "no such LUN"},
    {0x5, 0x26, "field in the parameters not allowed"},
    {0x5, 0x55, "no room for more registrations"},
    {0x6, 0x29, "was reset"},
    {0x6, 0x2A, "reservations changed"},
    {0x6, 0x3F, "its LUNs changed"},
    {0x7, 0x27, "write protected"},
}};

constexpr std::array<std::string_view, 16> key_names{
    "no sense",       "recovered",       "not ready",      "medium error",
    "hardware error", "illegal request", "unit attention", "data protect",
    "blank check",    "vendor specific", "copy aborted",   "aborted",
    "key 0xc",        "volume overflow", "miscompare",     "completed"};

}  // namespace

ScsiCommand scsi_test_unit_ready() {
    return {.cdb = std::vector<std::uint8_t>(6)};
}

ScsiCommand scsi_inquiry() {
    return reading(6, 0x12, 0, inquiry_size, 3, 2);
}

ScsiCommand scsi_read_capacity() {
    return reading(16, 0x9E, 0x10, capacity_size, 10, 4);
}

ScsiCommand scsi_mode_sense() {
    ScsiCommand out = reading(6, 0x1A, 0, mode_size, 4, 1);
    out.cdb[2] = 0x3F;
    return out;
}

ScsiCommand scsi_read(std::uint64_t lba, std::uint32_t block_size) {
    ScsiCommand out{.cdb = std::vector<std::uint8_t>(16), .asked = block_size};
    out.cdb[0] = 0x88;
    put(out.cdb, 2, lba, 8);
    put(out.cdb, 10, 1, 4);
    return out;
}

ScsiCommand scsi_report_port_groups() {
    return reading(12, 0xA3, 0x0A, groups_size, 6, 4);
}

ScsiCommand scsi_read_keys() {
    return reserve_in(0, keys_size);
}

ScsiCommand scsi_read_reservation() {
    return reserve_in(1, reservation_size);
}

ScsiCommand scsi_reserve_out(ReserveOut action, std::uint8_t type, std::uint64_t key,
                             std::uint64_t action_key) {
    ScsiCommand out{.cdb = std::vector<std::uint8_t>(10), .data = std::vector<std::uint8_t>(24)};
    out.cdb[0] = 0x5F;
    out.cdb[1] = static_cast<std::uint8_t>(action);
    out.cdb[2] = type & 0x0F;
    put(out.cdb, 5, out.data.size(), 4);
    put(out.data, 0, key, 8);
    put(out.data, 8, action_key, 8);
    return out;
}

std::optional<ScsiInquiry> decode_inquiry(View data) {
    if (data.size() < 36) return std::nullopt;
    ScsiInquiry out;
    out.kind = data[0] & 0x1F;
    out.qualifier = data[0] >> 5;
    out.port_groups = (data[5] & 0x30) != 0;
    out.vendor = text_at(data, 8, 8);
    out.product = text_at(data, 16, 16);
    out.revision = text_at(data, 32, 4);
    return out;
}

std::optional<ScsiCapacity> decode_capacity(View data) {
    if (data.size() < 12) return std::nullopt;
    const std::uint64_t last = number_at(data, 0, 8);
    const std::uint64_t size = number_at(data, 8, 4);
    if (size < least_block || size > largest_block || last >= UINT64_MAX / largest_block)
        return std::nullopt;
    return ScsiCapacity{last + 1, static_cast<std::uint32_t>(size)};
}

std::optional<bool> decode_write_protected(View data) {
    if (data.size() < 4) return std::nullopt;
    return (data[2] & 0x80) != 0;
}

std::optional<std::vector<std::uint64_t>> decode_keys(View data) {
    if (data.size() < 8) return std::nullopt;
    const std::uint64_t length = number_at(data, 4, 4);
    if (length % 8 != 0 || length > data.size() - 8) return std::nullopt;
    std::vector<std::uint64_t> out;
    for (std::size_t at = 8; at < 8 + length; at += 8) out.push_back(number_at(data, at, 8));
    return out;
}

std::optional<std::optional<ScsiReservation>> decode_reservation(View data) {
    using Found = std::optional<ScsiReservation>;
    if (data.size() < 8) return std::nullopt;
    const std::uint64_t length = number_at(data, 4, 4);
    if (length == 0) return Found{};
    if (length != 16 || data.size() < 24) return std::nullopt;
    return Found{
        ScsiReservation{number_at(data, 8, 8), static_cast<std::uint8_t>(data[21] & 0x0F)}};
}

std::optional<std::vector<ScsiPortGroup>> decode_port_groups(View data) {
    if (data.size() < 4) return std::nullopt;
    const std::uint64_t length = number_at(data, 0, 4);
    if (length > data.size() - 4) return std::nullopt;
    const std::size_t end = 4 + static_cast<std::size_t>(length);
    std::vector<ScsiPortGroup> out;
    for (std::size_t at = 4; at < end;) {
        if (end - at < 8) return std::nullopt;
        const std::size_t ports = data[at + 7];
        out.push_back({static_cast<std::uint16_t>(number_at(data, at + 2, 2)),
                       static_cast<std::uint8_t>(data[at] & 0x0F)});
        if (end - at < 8 + ports * 4) return std::nullopt;
        at += 8 + ports * 4;
    }
    return out;
}

std::optional<ScsiSense> decode_sense(View data) {
    if (data.empty()) return std::nullopt;
    const std::uint8_t format = data[0] & 0x7F;
    if ((format == 0x72 || format == 0x73) && data.size() >= 4)
        return ScsiSense{static_cast<std::uint8_t>(data[1] & 0x0F), data[2], data[3]};
    if ((format == 0x70 || format == 0x71) && data.size() >= 14)
        return ScsiSense{static_cast<std::uint8_t>(data[2] & 0x0F), data[12], data[13]};
    return std::nullopt;
}

std::string sense_text(const ScsiSense& sense) {
    std::string_view text = key_names[sense.key & 0x0F];
    for (const Meaning& one : meanings)
        if (one.key == sense.key && one.asc == sense.asc) text = one.text;
    char numbers[32];
    std::snprintf(numbers, sizeof numbers, " (0x%x/0x%02x/0x%02x)", sense.key & 0x0FU, sense.asc,
                  sense.ascq);
    return std::string(text) + numbers;
}

std::string reservation_text(std::uint8_t type) {
    switch (type) {
        case 1: return "write exclusive";
        case 3: return "exclusive access";
        case 5: return "write exclusive, registrants only";
        case 6: return "exclusive access, registrants only";
        case 7: return "write exclusive, all registrants";
        case 8: return "exclusive access, all registrants";
        default: return "type " + std::to_string(type);
    }
}

std::optional<std::uint64_t> parse_key(std::string_view text) {
    if (starts_with(text, "0x") || starts_with(text, "0X")) text.remove_prefix(2);
    std::uint64_t key = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, key, 16);
    if (text.empty() || error != std::errc{} || stop != end || key == 0) return std::nullopt;
    return key;
}

std::string render_key(std::uint64_t key) {
    char text[20];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(key));
    return text;
}

}  // namespace domkeeper
