// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "lib/app/cli.hpp"
#include "lib/core/memory.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// --memory.
Option memory_option();

/// Judges with what the last run of this check about this thing put down, and puts down what this
/// one saw, in the folder that --memory names; without it nothing is remembered. A memory that
/// can't be read or written is a Warning beside the result.
CheckResult judge_remembering(const Arguments& arguments, const std::string& check,
                              const std::string& about,
                              const std::function<CheckResult(const Recall&)>& judge);

}  // namespace domkeeper
