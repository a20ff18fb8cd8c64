// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/journal_types.hpp"

#include <array>

#include "lib/core/enum_text.hpp"

namespace domkeeper {

std::string_view host_state_name(HostState state) {
    switch (state) {
        case HostState::Up: return "UP";
        case HostState::Down: return "DOWN";
        case HostState::Unreachable: return "UNREACHABLE";
        case HostState::StorageLost: return "STORAGE-LOST";
        case HostState::DomainFailed: return "DOMAIN-FAILED";
    }
    return "DOWN";
}

std::string_view state_type_name(StateType type) {
    switch (type) {
        case StateType::Soft: return "SOFT";
        case StateType::Hard: return "HARD";
    }
    return "SOFT";
}

std::optional<HostState> parse_host_state(std::string_view text) {
    return parse_enum(text,
                      std::array{HostState::Up, HostState::Down, HostState::Unreachable,
                                 HostState::StorageLost, HostState::DomainFailed},
                      host_state_name);
}
std::optional<StateType> parse_state_type(std::string_view text) {
    return parse_enum(text, std::array{StateType::Soft, StateType::Hard}, state_type_name);
}

std::string_view entry_kind_name(EntryKind kind) {
    switch (kind) {
        case EntryKind::Event: return "event";
        case EntryKind::Decision: return "decision";
        case EntryKind::Intent: return "intent";
        case EntryKind::Outcome: return "outcome";
        case EntryKind::Refusal: return "refusal";
    }
    return "event";
}

std::optional<EntryKind> parse_entry_kind(std::string_view text) {
    return parse_enum(text,
                      std::array{EntryKind::Event, EntryKind::Decision, EntryKind::Intent,
                                 EntryKind::Outcome, EntryKind::Refusal},
                      entry_kind_name);
}

std::string_view step_kind_name(StepKind step) {
    switch (step) {
        case StepKind::None: return "";
        case StepKind::Look: return "look";
        case StepKind::Fence: return "fence";
        case StepKind::Observe: return "observe";
        case StepKind::Plan: return "plan";
        case StepKind::Start: return "start";
        case StepKind::Verify: return "verify";
        case StepKind::Close: return "close";
        case StepKind::Evacuate: return "evacuate";
        case StepKind::Return: return "return";
        case StepKind::Balance: return "balance";
        case StepKind::Move: return "move";
        case StepKind::MakeRoom: return "make-room";
        case StepKind::Stop: return "stop";
        case StepKind::Resume: return "resume";
    }
    return "";
}

std::optional<StepKind> parse_step_kind(std::string_view text) {
    return parse_enum(
        text,
        std::array{StepKind::None, StepKind::Look, StepKind::Fence, StepKind::Observe,
                   StepKind::Plan, StepKind::Start, StepKind::Verify, StepKind::Close,
                   StepKind::Evacuate, StepKind::Return, StepKind::Balance, StepKind::Move,
                   StepKind::MakeRoom, StepKind::Stop, StepKind::Resume},
        step_kind_name);
}

std::string_view incident_state_name(IncidentState state) {
    switch (state) {
        case IncidentState::Open: return "open";
        case IncidentState::Recovered: return "recovered";
        case IncidentState::Partial: return "partial";
        case IncidentState::Refused: return "refused";
        case IncidentState::FalseAlarm: return "false alarm";
        case IncidentState::Failed: return "failed";
        case IncidentState::Evacuated: return "evacuated";
        case IncidentState::Returned: return "returned";
        case IncidentState::Balanced: return "balanced";
        case IncidentState::Stopped: return "stopped";
        case IncidentState::HandedOn: return "handed on";
    }
    return "open";
}

std::optional<IncidentState> parse_incident_state(std::string_view text) {
    return parse_enum(
        text,
        std::array{IncidentState::Open, IncidentState::Recovered, IncidentState::Partial,
                   IncidentState::Refused, IncidentState::FalseAlarm, IncidentState::Failed,
                   IncidentState::Evacuated, IncidentState::Returned, IncidentState::Balanced,
                   IncidentState::Stopped, IncidentState::HandedOn},
        incident_state_name);
}

}  // namespace domkeeper
