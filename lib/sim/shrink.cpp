// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/shrink.hpp"

#include <algorithm>
#include <vector>

#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "lib/sim/scenario.hpp"

namespace domkeeper {
namespace {

using Lines = std::vector<std::string>;
using Fails = std::function<bool(const std::string&)>;

std::string text_of(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

/// Leaves out runs of parts, long ones first, as long as `keeps` allows it. Returns whether any
/// went.
bool leave_out(Lines& parts, std::size_t first, const std::function<bool(const Lines&)>& keeps) {
    bool any = false;
    for (std::size_t size = parts.size(); size > 0; size /= 2)
        for (std::size_t at = first; at < parts.size();) {
            Lines fewer = parts;
            const auto from = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(from,
                        from + static_cast<std::ptrdiff_t>(std::min(size, parts.size() - at)));
            if (keeps(fewer)) {
                parts = std::move(fewer);
                any = true;
            } else {
                at += size;
            }
        }
    return any;
}

/// "at 12345ms ..." to a whole second.
std::string rounded(const std::string& line) {
    const Lines words = words_of(line);
    if (words.size() < 3 || words[0] != "at") return line;
    const auto span = parse_duration(words[1]);
    if (!span || span->count() % 1000 == 0) return line;
    return "at " + std::to_string(span->count() / 1000) + "s " +
           join({words.begin() + 2, words.end()}, " ");
}

bool simplify_lines(Lines& lines, const Fails& fails) {
    bool any = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string before = lines[i];
        const auto keeps = [&](const std::string& line) {
            Lines tried = lines;
            tried[i] = line;
            return fails(text_of(tried));
        };
        if (const std::string line = rounded(before); line != before && keeps(line))
            lines[i] = line;
        Lines words = words_of(lines[i]);
        leave_out(words, 1, [&](const Lines& fewer) { return keeps(join(fewer, " ")); });
        if (const std::string line = join(words, " "); line.size() < lines[i].size())
            lines[i] = line;
        any = any || lines[i] != before;
    }
    return any;
}

}  // namespace

std::string shrink_scenario(const std::string& text, const Fails& fails) {
    if (!fails(text)) return text;
    Lines lines;
    for (const std::string& line : split(text, '\n'))
        if (!trim(line).empty()) lines.push_back(line);
    for (bool changed = true; changed;) {
        changed = leave_out(lines, 0, [&](const Lines& fewer) { return fails(text_of(fewer)); });
        changed = simplify_lines(lines, fails) || changed;
    }
    return text_of(lines);
}

}  // namespace domkeeper
