// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/maintenance_types.hpp"

#include <array>

#include "lib/core/enum_text.hpp"

namespace domkeeper {

std::string_view maintenance_phase_name(MaintenancePhase phase) {
    switch (phase) {
        case MaintenancePhase::Evacuating: return "evacuating";
        case MaintenancePhase::Held: return "held";
        case MaintenancePhase::Returning: return "returning";
        case MaintenancePhase::Balancing: return "balancing";
    }
    return "held";
}

std::optional<MaintenancePhase> parse_maintenance_phase(std::string_view text) {
    return parse_enum(text,
                      std::array{MaintenancePhase::Evacuating, MaintenancePhase::Held,
                                 MaintenancePhase::Returning, MaintenancePhase::Balancing},
                      maintenance_phase_name);
}

std::string_view move_way_name(MoveWay way) {
    switch (way) {
        case MoveWay::Live: return "live";
        case MoveWay::Paused: return "paused";
        case MoveWay::Restart: return "restart";
    }
    return "live";
}

std::optional<MoveWay> parse_move_way(std::string_view text) {
    return parse_enum(text, std::array{MoveWay::Live, MoveWay::Paused, MoveWay::Restart},
                      move_way_name);
}

std::string_view side_state_name(SideState side) {
    switch (side) {
        case SideState::Unreachable: return "unreachable";
        case SideState::Absent: return "absent";
        case SideState::Active: return "active";
        case SideState::Busy: return "busy";
        case SideState::Half: return "half";
    }
    return "unreachable";
}

std::string_view clean_up_name(CleanUp clean_up) {
    switch (clean_up) {
        case CleanUp::Abort: return "abort its migration";
        case CleanUp::Discard: return "discard its half copy";
        case CleanUp::Resume: return "resume it";
    }
    return "abort its migration";
}

std::string MoveFacts::objection() const {
    if (!trouble.empty()) return trouble;
    // The words are those of domain_reason_of().
    const bool is_half = view.state == DomainState::Paused &&
                         (view.reason == "migration" || view.reason == "starting up" ||
                          view.reason.rfind("post-copy migration", 0) == 0);
    if (!is_half) return {};
    return "it stands still as one end of a move (" + view.reason + "), whose other end may run";
}

}  // namespace domkeeper
