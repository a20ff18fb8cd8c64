// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/maintenance_plan.hpp"
#include "lib/core/maintenance_types.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// Evacuation and return of hosts as a state machine without effects, beside that of the recovery
/// and run by the same worker under the same lock: advance_maintenance() takes what happened and
/// says what to write down and what to do next. Whoever runs it writes first and acts afterwards.
///
/// One host at a time. A domain belongs to this machine from the intent to move it until both ends
/// were looked at; the recovery leaves it alone so long, and no move begins while a recovery is
/// under way.

// ---- what happens ---------------------------------------------------------------------------

/// Orders may have changed, or time has passed.
struct MaintenanceTick {};
/// Work that a killed worker left, with all that was journaled of it.
struct MaintenanceResumed {
    Incident incident;
    std::vector<JournalEntry> entries;
};
/// The hosts were read.
struct Surveyed {
    IncidentId incident = 0;
    Survey survey;
};
/// A move returned. Whatever it says, only a look at both ends tells where the domain is, unless
/// it says that it is done.
struct MoveEnded {
    std::string domain;
    std::string to;
    bool done = false;
    std::string text;
};
/// Both ends of a move were looked at.
struct SidesRead {
    std::string domain;
    SideState from = SideState::Unreachable;
    SideState to = SideState::Unreachable;
};
/// A clean-up returned; the ends must be looked at again.
struct CleanedUp {
    std::string domain;
    CleanUp what = CleanUp::Abort;
    bool done = false;
    std::string text;
};

/// All hosts were read, since one of them is back.
struct HostExamined {
    IncidentId incident = 0;
    std::map<std::string, HostReading> hosts;
};
/// A stale definition was to be taken away from a host that is back.
struct DefinitionForgotten {
    std::string domain;
    bool done = false;
    std::string text;
};
/// A host that is back was to be given its disks again.
struct HostUnfenced {
    IncidentId incident = 0;
    bool done = false;  ///< every storage fence of the host reads that it is not cut off
    std::string text;
};

using MaintenanceEvent =
    std::variant<MaintenanceTick, MaintenanceResumed, Surveyed, MoveEnded, SidesRead, CleanedUp,
                 HostExamined, DefinitionForgotten, HostUnfenced>;

// ---- what to do -----------------------------------------------------------------------------

struct TakeSurvey {
    IncidentId incident = 0;
    SurveyOrder order;
};
struct MoveDomain {
    DomainRecord domain;
    std::string from;
    std::string to;
    MoveWay way = MoveWay::Live;
};
/// Asks a move under way to end; it ends by itself where the driver can't.
struct CancelMove {
    std::string domain;
};
struct LookAtSides {
    DomainRecord domain;
    std::string from;
    std::string to;
    std::set<std::string> off;  ///< hosts of which no answer is to be waited for
};
struct CleanUpSide {
    DomainRecord domain;
    std::string host;
    CleanUp what = CleanUp::Discard;
};
/// The record learns where a domain runs now.
struct RecordMove {
    std::string domain;
    std::string host;
};
struct BeginDowntime {
    std::string host;
    std::string who;
    std::string text;
};
struct EndDowntime {
    std::string host;
};
struct TellPeople {
    std::string text;
};

/// Reads all hosts.
struct ExamineHost {
    IncidentId incident = 0;
    std::string host;
};
/// Keeps a copy of the definition in the journal, then takes it away from the host.
struct ForgetDefinition {
    IncidentId incident = 0;
    std::string host;
    DomainRecord domain;
};
/// Runs `on` of these storage fences where they don't read so already, unless the host has another
/// domain active than those that it was judged by: some start by themselves with their host.
struct Unfence {
    IncidentId incident = 0;
    std::string host;
    std::vector<std::string> devices;
    std::set<std::string> active;
};

using MaintenanceAction =
    std::variant<TakeSurvey, MoveDomain, CancelMove, LookAtSides, CleanUpSide, RecordMove,
                 BeginDowntime, EndDowntime, TellPeople, ExamineHost, ForgetDefinition, Unfence>;

// ---- what is known --------------------------------------------------------------------------

enum class MovePhase {
    Waiting,  ///< placed, waits for its turn
    Moving,   ///< under way
    Unsure,   ///< ended somehow, or its worker was killed: both ends are being looked at
    Moved,    ///< end
    Refused,  ///< end
};

/// One domain that is to move.
struct MoveCase {
    DomainRecord record;
    std::string from;
    std::string to;
    MoveWay way = MoveWay::Live;
    Bytes memory;
    MovePhase phase = MovePhase::Waiting;
    int attempts = 0;
    std::set<std::string> failed_on;
    std::string why;         ///< of the last failure
    bool busy = false;       ///< a look or a clean-up is under way
    bool cancelled = false;  ///< was asked to end
    int clean_ups = 0;
    int aborts = 0;                      ///< of its migration, since it began
    Instant since;                       ///< when it became Unsure
    std::optional<Instant> doubt_since;  ///< active at both ends, or at one that does not answer
    Instant next_look;
    std::optional<Refusal> refusal;

    bool is_final() const { return phase == MovePhase::Moved || phase == MovePhase::Refused; }
};

enum class CaseStage {
    Settling,   ///< moves that a killed worker left are being looked at
    Examining,  ///< the host was fenced: what came back is compared with what is known
    Surveying,  ///< hosts are being read
    Moving,
};

/// One evacuation or return under way.
struct MaintenanceCase {
    std::string host;
    IncidentId id = 0;
    MaintenancePhase goal = MaintenancePhase::Evacuating;
    CaseStage stage = CaseStage::Surveying;
    bool stopping = false;
    std::string stop_reason;
    bool begun = false;   ///< the first plan was taken on
    bool replan = false;  ///< what was read last is out of date: no move begins from it
    int surveys = 0;
    Instant surveyed_at;      ///< when the last survey came
    bool rechecking = false;  ///< the hosts are read once more for the moves whose turn is to come
    bool stays = false;       ///< of a return: the last survey left the domains away
    std::set<std::string> away;             ///< domains that were moved away from the host
    std::map<std::string, MoveCase> moves;  ///< by domain
    std::vector<std::string> turns;         ///< order in which they begin

    // of Examining
    bool taken_in = false;             ///< it was looked at, and is trusted again
    bool asking = false;               ///< a look or an unfencing is under way
    std::set<std::string> active;      ///< domains that the last look found active on it
    std::set<std::string> forgetting;  ///< definitions that are being taken away
    std::set<std::string> kept;        ///< definitions that could not be
    bool unfencing = false;            ///< it is on record that it shall reach its disks again
    bool unfenced = false;
    std::string awaited;                 ///< what the look waits for; told once
    std::optional<Instant> back_since;   ///< when the looks began
    std::optional<Instant> twice_since;  ///< since when they show a domain on two hosts
    Instant next_look;
};

struct MaintenanceSituation {
    std::optional<MaintenanceCase> active;

    bool idle() const { return !active; }
    /// Domains that nobody else may touch now.
    std::map<std::string, Moving> moving() const;
    /// Those, and the ones whose turn is to come.
    std::map<std::string, Moving> planned() const;
};

/// What a step may look at beside the situation.
struct MaintenanceContext {
    const Inventory& inventory;
    const ClusterRecord& record;
    std::vector<Maintenance> marks;    ///< of all hosts, as the journal has them now
    std::set<std::string> recovering;  ///< hosts with a recovery under way
    std::set<std::string> off;         ///< hosts proved off
    Arming arming;
    IncidentId next_incident = 1;
    Now now;
    /// Hosts on which a domain is being brought back: no move begins so long.
    std::set<std::string> busy{};

    bool others_first() const { return !recovering.empty() || !busy.empty(); }
};

/// A change of a host's mark, written together with the entries. An order that came meanwhile
/// wins: phase and removal take effect only where the mark still says `was`.
struct MarkChange {
    std::string host;
    bool remove = false;
    MaintenancePhase was = MaintenancePhase::Evacuating;
    MaintenancePhase phase = MaintenancePhase::Held;
    IncidentId incident = 0;
    std::vector<std::string> domains;
    bool taken_in = false;  ///< it was looked at, and counts as fenced no more
};

/// What a step wants written and done, in this order.
struct MaintenanceStep {
    std::vector<Incident> opened;
    std::vector<JournalEntry> entries;
    std::vector<Incident> closed;
    std::vector<MarkChange> marks;
    std::vector<MaintenanceAction> actions;
};

/// One step: changes the situation and says what to write and do.
MaintenanceStep advance_maintenance(MaintenanceSituation& situation, const MaintenanceEvent& event,
                                    const MaintenanceContext& context);

/// When a MaintenanceTick is due even if nothing happens; empty: never.
std::optional<Instant> next_wake(const MaintenanceSituation& situation);

/// The mark of a host; null: it is in use.
const Maintenance* find_mark(const std::vector<Maintenance>& marks, const std::string& host);

// ---- the two ends of a move -----------------------------------------------------------------

enum class SidesVerdict {
    AtTarget,       ///< it runs there, and nothing is left at the source
    AtSource,       ///< it runs there, and nothing is left at the target
    Nowhere,        ///< both answer (or are off) and neither has it
    Twice,          ///< both have it running: nothing may touch it
    CleanTarget,    ///< a half copy is left there
    CleanSource,    ///< what stands still there must never go on: it runs, or ran, at the target
    ResumeSource,   ///< it stands still at the source and is nowhere else
    AbortAtSource,  ///< a migration is still under way
    TakenAtTarget,  ///< gone from the source, and the target does not answer
    Wait,           ///< nothing can be said yet
};

/// What the looks at both ends mean. A side that does not answer counts as absent only when its
/// host is proved off.
SidesVerdict judge_sides(SideState from, SideState to, bool from_off, bool to_off);

}  // namespace domkeeper
