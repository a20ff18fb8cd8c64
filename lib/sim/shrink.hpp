// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

namespace domkeeper {

/// Makes a failing scenario as small as it can: lines are left out, words of a line are left out
/// and times are rounded as long as `fails` still says so. `fails` is asked some hundred times and
/// says false for what is no scenario any more. Returns `text` itself when that does not fail.
std::string shrink_scenario(const std::string& text,
                            const std::function<bool(const std::string&)>& fails);

}  // namespace domkeeper
