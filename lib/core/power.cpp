// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/power.hpp"

namespace domkeeper {

std::string_view power_state_name(PowerState state) {
    switch (state) {
        case PowerState::On: return "on";
        case PowerState::Off: return "off";
        case PowerState::Unknown: return "unknown";
    }
    return "unknown";
}

}  // namespace domkeeper
