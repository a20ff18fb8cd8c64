// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/range.hpp"

#include "lib/core/text.hpp"

namespace domkeeper {

bool Range::alerts(double value) const {
    const bool outside = (start && value < *start) || (end && value > *end);
    // A value that is no number lies nowhere, so no range can vouch for it.
    if (value != value) return true;
    return inside ? !outside : outside;
}

std::optional<Range> parse_range(std::string_view text) {
    Range range;
    if (starts_with(text, "@")) {
        range.inside = true;
        text.remove_prefix(1);
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        range.end = parse_number(text);
        if (!range.end) return std::nullopt;
    } else {
        const std::string_view start = text.substr(0, colon);
        const std::string_view end = text.substr(colon + 1);
        range.start = start == "~" ? std::nullopt : parse_number(start);
        if (!range.start && start != "~") return std::nullopt;
        if (!end.empty()) {
            range.end = parse_number(end);
            if (!range.end) return std::nullopt;
        }
    }
    if (range.start && range.end && *range.start > *range.end) return std::nullopt;
    return range;
}

std::string render_range(const Range& range) {
    std::string out = range.inside ? "@" : "";
    if (!range.start)
        out += "~:";
    else if (*range.start != 0 || !range.end)
        out += render_number(*range.start) + ":";
    if (range.end) out += render_number(*range.end);
    return out;
}

Status Threshold::judge(double value) const {
    if (critical && critical->alerts(value)) return Status::Critical;
    if (warning && warning->alerts(value)) return Status::Warning;
    return Status::Ok;
}

}  // namespace domkeeper
