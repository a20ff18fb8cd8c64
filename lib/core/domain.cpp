// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/domain.hpp"

#include <array>

namespace domkeeper {

std::string_view domain_state_name(DomainState state) {
    switch (state) {
        case DomainState::Running: return "running";
        case DomainState::Blocked: return "blocked";
        case DomainState::Paused: return "paused";
        case DomainState::ShuttingDown: return "shutting down";
        case DomainState::ShutOff: return "shut off";
        case DomainState::Crashed: return "crashed";
        case DomainState::Suspended: return "suspended";
        case DomainState::Unknown: return "unknown";
    }
    return "unknown";
}

std::optional<DomainState> parse_domain_state(std::string_view name) {
    static constexpr std::array all{DomainState::Running,   DomainState::Blocked,
                                    DomainState::Paused,    DomainState::ShuttingDown,
                                    DomainState::ShutOff,   DomainState::Crashed,
                                    DomainState::Suspended, DomainState::Unknown};
    for (const DomainState state : all)
        if (domain_state_name(state) == name) return state;
    return std::nullopt;
}

bool is_active(DomainState state) {
    switch (state) {
        case DomainState::Running:
        case DomainState::Blocked:
        case DomainState::Paused:
        case DomainState::ShuttingDown:
        case DomainState::Suspended:
        case DomainState::Unknown: return true;
        case DomainState::ShutOff:
        case DomainState::Crashed: return false;
    }
    return true;
}

}  // namespace domkeeper
