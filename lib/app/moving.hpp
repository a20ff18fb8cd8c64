// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>

#include "lib/core/maintenance_plan.hpp"
#include "lib/port/hypervisor.hpp"
#include "lib/port/mover.hpp"
#include "lib/port/scheduler.hpp"

namespace domkeeper {

/// Reads everything that an evacuation or return must know: all hosts side by side, then each
/// domain that is to move, then which of the hosts see its disks. Ends some 3 observe_times after
/// it began; what did not answer by then says so in the result. Throws nothing of the far sides.
Survey take_survey(const Inventory& inventory, const SurveyOrder& order, Hypervisors& hypervisors,
                   Mover& mover, Scheduler& scheduler);

}  // namespace domkeeper
