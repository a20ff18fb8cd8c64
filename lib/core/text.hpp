// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// `text` made safe for one line of plugin output, a log or a table: control bytes, DEL and '|'
/// become '?', invalid UTF-8 becomes '?', at most `limit` bytes are kept and "..." marks a cut.
std::string printable(std::string_view text, std::size_t limit = 256);

/// Length in bytes of the character that begins `text`, which must not be empty: 1 to 4. 0 for
/// what is no valid UTF-8 and for the C1 controls, which a terminal obeys.
std::size_t utf8_length(std::string_view text);

/// Splits at every `separator`; "a,,b" gives three parts; "" gives none.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool contains(const std::vector<std::string>& list, std::string_view word);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
bool starts_with(std::string_view text, std::string_view prefix);

/// A whole decimal number and nothing else: no sign but '-', no spaces, no overflow.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// A finite decimal number and nothing else: refuses nan, inf, hex and spaces.
std::optional<double> parse_number(std::string_view text);
/// At most `decimals` digits after the point, trailing zeros dropped, never scientific notation.
std::string render_number(double value, int decimals = 6);

/// The candidate that a mistyped `word` most likely meant, if one is near enough.
std::optional<std::string> closest(std::string_view word,
                                   const std::vector<std::string>& candidates);

/// "1 host", "2 hosts".
std::string counted(std::size_t n, std::string_view singular, std::string_view plural = {});

}  // namespace domkeeper
