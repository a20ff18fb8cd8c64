// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/json.hpp"
#include "lib/core/maintenance_plan.hpp"
#include "lib/core/maintenance_types.hpp"

namespace domkeeper {

/// "evacuating since ... by alice: kernel update".
std::string render_mark(const Maintenance& mark);
Json marks_json(const std::vector<Maintenance>& marks);

/// "web1 host1 -> host2: 35 MiB of 96 MiB, 40 MiB/s, dirties 1 MiB/s, 1.2s left".
std::string render_progress(const MoveProgress& move);
Json progress_json(const std::vector<MoveProgress>& moves);

/// What an evacuation of `host` would do now.
std::string render_evacuation(const std::string& host, const MaintenancePlan& plan,
                              const std::string& objection);
Json evacuation_json(const std::string& host, const MaintenancePlan& plan,
                     const std::string& objection);

}  // namespace domkeeper
