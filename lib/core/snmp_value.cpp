// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/snmp_value.hpp"

#include <algorithm>
#include <charconv>

#include "lib/core/text.hpp"

namespace domkeeper {

std::optional<Oid> parse_oid(std::string_view text) {
    if (!text.empty() && text.front() == '.') text.remove_prefix(1);
    Oid oid;
    for (const std::string& part : split(text, '.')) {
        std::uint32_t value = 0;
        const char* end = part.data() + part.size();
        const auto [stop, error] = std::from_chars(part.data(), end, value);
        if (part.empty() || error != std::errc{} || stop != end || oid.size() == 128)
            return std::nullopt;
        oid.push_back(value);
    }
    if (oid.size() < 2) return std::nullopt;
    return oid;
}

std::string render_oid(const Oid& oid) {
    std::string out;
    for (const std::uint32_t part : oid) out += (out.empty() ? "" : ".") + std::to_string(part);
    return out;
}

bool starts_with(const Oid& oid, const Oid& prefix) {
    return oid.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), oid.begin());
}

}  // namespace domkeeper
