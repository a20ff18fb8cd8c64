// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/time.hpp"

namespace domkeeper {

/// Number of an incident, from 1; 0 stands for what belongs to none.
using IncidentId = std::int64_t;

/// What a monitor says of a host. StorageLost: a check on the host says that it does not reach its
/// storage, whatever the host itself does. DomainFailed: a check of its domains says that one of
/// them, or any of them, is not well; the host itself is.
enum class HostState { Up, Down, Unreachable, StorageLost, DomainFailed };
enum class StateType { Soft, Hard };

std::string_view host_state_name(HostState state);  ///< "UP", "DOWN", "STORAGE-LOST", ...
std::string_view state_type_name(StateType type);   ///< "SOFT", "HARD"
std::optional<HostState> parse_host_state(std::string_view text);
std::optional<StateType> parse_state_type(std::string_view text);

struct HostEvent {
    std::string host;
    HostState state = HostState::Down;
    StateType type = StateType::Hard;
    std::string source;  ///< "monitor", "operator alice"; printable
    std::string output;  ///< what the monitor's check said; printable
    /// An operator's recorded word that the host is off: counts as proof. Empty: none was given.
    std::string confirmed_off;
    std::string domain{};                      ///< of DomainFailed; empty: any domain of the host
    std::optional<TimePoint> monitor_since{};  ///< when the monitor started; empty: it does not say
};

enum class EntryKind {
    Event,     ///< something was reported or seen
    Decision,  ///< what was concluded, and why
    Intent,    ///< an effect that is about to be tried
    Outcome,   ///< how it ended
    Refusal,   ///< what was not done, and why
};

enum class StepKind {
    None,
    Look,
    Fence,
    Observe,
    Plan,
    Start,
    Verify,
    Close,
    Evacuate,  ///< an evacuation as a whole
    Return,    ///< the return of a host as a whole
    Balance,   ///< an evening out of the load as a whole
    Move,      ///< of one domain; the entry's host is where it comes from
    MakeRoom,  ///< a running best-effort domain is stopped for another
    Stop,      ///< of a domain that hangs or crashed
    Resume     ///< of a domain that stood still on an I/O error
};

std::string_view entry_kind_name(EntryKind kind);  ///< "event", "decision", ...
std::string_view step_kind_name(StepKind step);    ///< "", "look", "fence", ...
std::optional<EntryKind> parse_entry_kind(std::string_view text);
std::optional<StepKind> parse_step_kind(std::string_view text);

/// One line of the journal. All texts are printable and free of secrets.
struct JournalEntry {
    IncidentId incident = 0;
    TimePoint at;
    EntryKind kind = EntryKind::Event;
    StepKind step = StepKind::None;
    std::string host;    ///< the lost host; of a failed domain: where it is
    std::string domain;  ///< empty: the step is about the host
    std::string target;  ///< the host or device acted on; empty: none
    bool ok = true;      ///< of an Outcome: whether it succeeded
    std::string text;    ///< the reason, for people
};

enum class IncidentState {
    Open,        ///< being worked on, or its worker was killed
    Recovered,   ///< every domain that was to run runs
    Partial,     ///< some domain was refused
    Refused,     ///< nothing was done, with the reason
    FalseAlarm,  ///< the host lives
    Failed,      ///< the host could not be proved off, or died during its maintenance
    Evacuated,   ///< every domain left the host, which is empty
    Returned,    ///< the host is in use again
    Balanced,    ///< the load was evened out
    Stopped,     ///< somebody stopped it
    HandedOn,    ///< each domain that failed got an incident of its own
};

std::string_view incident_state_name(IncidentState state);
std::optional<IncidentState> parse_incident_state(std::string_view text);

struct Incident {
    IncidentId id = 0;
    std::string host;
    TimePoint opened;
    std::optional<TimePoint> closed;
    IncidentState state = IncidentState::Open;
    std::string summary;  ///< one line, printable
    std::string
        domain{};  ///< it is about this domain alone, or "*": any of the host; empty: the host
};

/// Somebody's order that domkeeper leaves a domain alone.
struct DomainHold {
    std::string domain;
    std::optional<TimePoint> until;  ///< it ends by itself then
    std::string who;                 ///< printable
    std::string reason;              ///< printable; may be empty
    TimePoint since;
};

/// Whether domkeeper may act. A new installation is disarmed.
struct Arming {
    bool armed = false;
    std::optional<TimePoint> until;  ///< of a disarming: it ends by itself then
    std::string who;
    std::string reason;
    TimePoint since;
    /// Of several monitoring nodes another one acts: why this one may not, whatever people said.
    std::string no_seat{};

    bool armed_at(TimePoint now) const {
        return no_seat.empty() && (armed || (until && now >= *until));
    }
};

}  // namespace domkeeper
