// SPDX-License-Identifier: GPL-3.0-or-later
// A family of power strips from a hostile file, and hostile answers of a strip: the first line's
// bytes are the answers, the rest is the file. Off must stay what the file documents.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/core/error.hpp"
#include "lib/core/pdu.hpp"
#include "lib/io/pdu_families.hpp"

using namespace domkeeper;

namespace {

SnmpValue value_of(unsigned char byte) {
    SnmpValue value;
    value.kind = static_cast<SnmpValue::Kind>(byte % 5);
    value.number = static_cast<signed char>(byte) / 5;
    value.text = std::string(byte % 7, static_cast<char>(byte));
    return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = input.find('\n');
    const std::string bytes = input.substr(0, cut);
    const std::string text = cut == std::string::npos ? std::string() : input.substr(cut + 1);
    PduFamily family;
    try {
        family = parse_pdu_family(text, "fuzz");
    } catch (const UsageError&) {
        return 0;
    }
    std::vector<SnmpValue> values;
    for (const char byte : bytes) values.push_back(value_of(static_cast<unsigned char>(byte)));
    const OutletReading reading = judge_outlet(family, values);
    if (reading.kind != OutletReading::Kind::Off) return 0;
    bool documented = false;
    for (const std::int64_t off : family.off) documented = documented || values[0].number == off;
    for (const std::int64_t on : family.on) documented = documented && values[0].number != on;
    if (!documented || values[0].kind != SnmpValue::Kind::Integer) std::abort();
    return 0;
}
