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

/// A place that toml++ 3.3 can't be given: it ends the process or runs into undefined behaviour.
struct TomlTrap {
    TextPlace place;
    std::string_view text;  ///< what is wrong there

    friend bool operator==(const TomlTrap&, const TomlTrap&) = default;
};

/// The first of: a table header that begins with a character that no key begins with, such as
/// "[[^host]]" or "[" alone (an assertion: it calls parse_key() without a look at the character),
/// and a byte beyond ASCII outside of strings and comments (undefined behaviour on some letters in
/// bare keys). Neither is TOML 1.0. Must be asked before parsing. Only a text that is TOML up to
/// that place is sure to be judged rightly; in others toml++ finds an earlier mistake by itself.
std::optional<TomlTrap> find_toml_trap(std::string_view toml);

}  // namespace domkeeper
