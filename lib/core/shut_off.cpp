// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/shut_off.hpp"

#include "lib/core/text.hpp"

namespace domkeeper {

std::optional<std::string> off_objection(const OffReading& reading) {
    if (!reading.known) return std::nullopt;
    // What crashed and is kept for a look holds its memory and its disks.
    if (reading.state != DomainState::ShutOff) {
        std::string text = "it is " + std::string(domain_state_name(reading.state));
        if (!reading.reason.empty()) text += " (" + printable(reading.reason, 64) + ")";
        return text;
    }
    if (!reading.autostart) return "nobody can say whether the host starts it by itself";
    if (*reading.autostart) return "the host starts it by itself (autostart is on)";
    return std::nullopt;
}

}  // namespace domkeeper
