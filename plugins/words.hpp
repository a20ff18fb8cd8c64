// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/result.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// The summaries of the parts that are not Ok, worst first, at most `limit` of them and then how
/// many more; empty when all is well.
std::string what_is_wrong(const std::vector<CheckResult>& parts, std::size_t limit = 3);

/// A part without parts of its own.
CheckResult part(Status status, std::string summary);

/// A perfdata value that is never below nought, without thresholds.
Perfdata value_of(const std::string& label, double value, const std::string& unit = {});

/// "0.004 s"
std::string seconds_text(Duration span);

/// Seconds as perfdata counts them.
double seconds_of(Duration span);

}  // namespace domkeeper
