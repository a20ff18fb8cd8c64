// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/core/range.hpp"

namespace domkeeper {

/// One measured value: 'label'=value[unit];warn;crit;min;max. Units: "", "s", "%", "B", "c".
struct Perfdata {
    std::string label;  ///< quoted and cleaned when rendered
    double value = 0;
    std::string unit;
    Threshold threshold;
    std::optional<double> min;
    std::optional<double> max;
};

/// No scientific notation; ranges that parsers drop (@...) are left out of the thresholds.
std::string render_perfdata(const Perfdata& perfdata);
std::string render_perfdata(const std::vector<Perfdata>& perfdata);

}  // namespace domkeeper
