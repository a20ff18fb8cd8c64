// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace domkeeper {

/// The value whose name is `text`, exactly; nullopt for any other text.
template <typename Enum, std::size_t N>
std::optional<Enum> parse_enum(std::string_view text, const std::array<Enum, N>& all,
                               std::string_view (*name)(Enum)) {
    for (const Enum value : all)
        if (name(value) == text) return value;
    return std::nullopt;
}

}  // namespace domkeeper
