// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/dry_run.hpp"
#include "lib/core/json.hpp"

namespace domkeeper {

/// A dry run for people: what stands in the way, then the steps in their order, then the refusals.
std::string render_plan(const DryRunPlan& plan);

/// {"objections": {host: text}, "steps": [...], "refusals": [...]}.
Json plan_json(const DryRunPlan& plan);

}  // namespace domkeeper
