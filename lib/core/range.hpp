// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/core/status.hpp"

namespace domkeeper {

/// A range in the monitoring-plugins grammar, [@][start:]end: alerts outside start..end (inside
/// with '@'). "10" is 0:10, "10:" has no upper end, "~:10" no lower one.
struct Range {
    std::optional<double> start = 0;  ///< empty: minus infinity
    std::optional<double> end;        ///< empty: plus infinity
    bool inside = false;

    bool alerts(double value) const;
};

/// Strict: refuses what the peers disagree on (5:1, 5%, abc, "10:20:30", "@", ":", nan).
std::optional<Range> parse_range(std::string_view text);
std::string render_range(const Range& range);

/// Warning and critical ranges of one value; an empty one never alerts.
struct Threshold {
    std::optional<Range> warning;
    std::optional<Range> critical;

    Status judge(double value) const;
};

}  // namespace domkeeper
