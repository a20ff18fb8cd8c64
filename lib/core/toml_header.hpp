// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

namespace domkeeper {

/// A place in a text, both from 1; the column counts bytes.
struct TextPlace {
    int line = 1;
    int column = 1;

    friend bool operator==(const TextPlace&, const TextPlace&) = default;
};

/// Where the first table header of a TOML text begins with a character that no key begins with,
/// such as "[[^host]]" or "[" alone. toml++ 3.3 ends the process there by an assertion (it calls
/// parse_key() without a look at the character), so this must be asked first. Only a text that
/// is TOML up to that place is sure to be judged rightly; in others toml++ finds an earlier
/// mistake by itself.
std::optional<TextPlace> find_bad_table_header(std::string_view toml);

}  // namespace domkeeper
