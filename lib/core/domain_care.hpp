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
#include "lib/core/maintenance.hpp"
#include "lib/core/maintenance_plan.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/record.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/storage_health.hpp"

namespace domkeeper {

/// The care of single domains that failed while their host lives, as a state machine without
/// effects, run by the same worker under the same lock as the recovery of hosts and their
/// maintenance: advance_care() takes what happened and says what to write down and what to do next.
/// Whoever runs it writes first and acts afterwards.
///
/// Every decision is made on one look around: all hosts, the power of those that are silent, the
/// storage, and what the journal says was tried with this domain. A domain belongs to one machine
/// at a time: care waits while a recovery has its host, and leaves it to a maintenance.

// ---- what happens ---------------------------------------------------------------------------

/// The monitor reports a failed domain, or a host with failed domains.
struct DomainReported {
    HostEvent event;
};
/// An incident that a killed worker left open, with all that was journaled of it.
struct CareTakenUp {
    Incident incident;
    std::vector<JournalEntry> entries;
};
/// Time passed.
struct CareTick {};
/// A look around ended.
struct LookedAround {
    IncidentId incident = 0;
    Instant began;                             ///< nothing of it is older
    std::map<std::string, HostReading> hosts;  ///< all of the inventory
    std::set<std::string> off;                 ///< silent hosts whose power reads off
    std::vector<StorageReport> storages;
    std::vector<JournalEntry> history;  ///< of this domain, of the last restart_window
};
/// The guest was asked for its sign, and with it the other guests of its host and the witnesses.
struct SignAsked {
    IncidentId incident = 0;
    bool asked = true;  ///< false: nothing could be asked, silence means nothing
    bool answered = false;
    std::string text;  ///< printable
    int others = 0;    ///< guests asked beside it
    int others_answered = 0;
    int witnesses = 0;  ///< that answered
};
enum class CareAct { Stop, Resume, KeepOff, StartAgain, StartOver };
/// An act returned.
struct Acted {
    IncidentId incident = 0;
    CareAct act = CareAct::Stop;
    std::string target;  ///< the host acted on
    StartResult result = StartResult::Failed;
    std::string text;
    bool left_alone = false;  ///< nothing was done: it is not any more as it was seen
};

using CareEvent =
    std::variant<DomainReported, CareTakenUp, CareTick, LookedAround, SignAsked, Acted>;

// ---- what to do -----------------------------------------------------------------------------

struct LookAround {
    IncidentId incident = 0;
    std::string domain;  ///< empty: no history is asked for
};
struct AskSign {
    IncidentId incident = 0;
    DomainRecord domain;
    std::string host;  ///< where it runs
    GuestSign sign;
    std::vector<GuestSign> others;  ///< of guests that should run on the same host
};
/// Acts on a domain. KeepOff also brings the host's word that it is off, which StartOver needs.
struct ActOn {
    IncidentId incident = 0;
    CareAct act = CareAct::Stop;
    DomainRecord domain;  ///< its host is the one where it is
    std::string target;
};
/// The record learns where the domain runs now.
struct RecordPlace {
    std::string domain;
    std::string host;
};
struct Alarm {
    std::string text;
};

using CareAction = std::variant<LookAround, AskSign, ActOn, RecordPlace, Alarm>;

// ---- what is known --------------------------------------------------------------------------

enum class CarePhase {
    Looking,  ///< all hosts are being read
    Waiting,  ///< until `next`, then it is looked again
    Asking,   ///< the guest is being asked for its sign
    Acting    ///< something is being done to it
};

/// One domain, or (domain "*") the question which of a host's domains failed.
struct CareCase {
    IncidentId id = 0;
    std::string domain;
    std::string host;  ///< where it is
    DomainRecord record;
    CarePhase phase = CarePhase::Looking;
    Instant next;           ///< of Waiting: the next look; of Asking: the next question
    std::string waits_for;  ///< told once
    std::optional<Instant> waiting_since;  ///< for the same thing
    int unseen = 0;                        ///< looks at its host that failed, one after the other
    bool willed = false;                   ///< it was decided to bring it back
    bool touched = false;                  ///< something was tried with it
    bool stopped_here = false;             ///< it was ended by us
    /// A start there has no known end: it may be there. Empty: none.
    std::string pinned;
    Instant pinned_since;
    bool acted = false;  ///< it was brought back, and has to stay so
    Instant acted_at;
    bool resumed = false;  ///< of a case that acted: it was let go on, not started
    std::string deed;      ///< "started again on a"; of a case that acted
    std::set<std::string> failed_on;
    std::optional<Instant> silent_since;  ///< its guest
    bool asking = false;
    std::string silence;  ///< what was heard instead
    std::string target;   ///< of an act under way
    CareAct act = CareAct::Stop;
    std::optional<Instant> kept_off_at;  ///< when its host said last that it stays off
    Instant look_began;                  ///< of the last look around
    LookedAround look;
};

/// Where it is being brought back, or would be first.
std::string goal_of(const CareCase& care);
/// It is being brought back to its goal, or was; one that waits for its turn may still go anywhere.
bool is_bound(const CareCase& care);

/// A domain that is to be brought back.
struct WilledDomain {
    std::string domain;
    std::string from;  ///< where it failed
    std::string host;  ///< where it is or may be: where a start is under way, else the same
};

struct CareSituation {
    std::map<IncidentId, CareCase> cases;

    bool idle() const { return cases.empty(); }
    const CareCase* find(const std::string& domain) const;
    /// Hosts on which something is being done, or was and is being verified: no move begins there.
    std::set<std::string> busy_hosts() const;
    /// Where the domains in care are being brought back, or would be first; by domain.
    std::map<std::string, CaredFor> goals() const;
    /// A recovery of their hosts takes them over as if they ran there.
    std::vector<WilledDomain> willed() const;
};

/// What a step may look at beside the situation.
struct CareContext {
    const Inventory& inventory;
    const ClusterRecord& record;
    std::vector<Maintenance> marks;
    std::vector<DomainHold> holds;
    std::map<std::string, IncidentId> recovering;  ///< hosts with a recovery under way
    std::map<std::string, IncidentId> recovered;   ///< domains that such a recovery works on
    std::map<std::string, Moving> moving;          ///< domains that a maintenance is to move
    Arming arming;
    IncidentId next_incident = 1;
    Now now;
    PackingSearch packing{};
    std::map<std::string, std::string> placed{};  ///< of `recovered` the placed ones, and where
};

/// What a step wants written and done, in this order.
struct CareStep {
    std::vector<Incident> opened;
    std::vector<JournalEntry> entries;
    std::vector<Incident> closed;
    std::vector<CareAction> actions;
};

/// One step: changes the situation and says what to write and do.
CareStep advance_care(CareSituation& situation, const CareEvent& event, const CareContext& context);

/// When a CareTick is due even if nothing happens; empty: never.
std::optional<Instant> next_wake(const CareSituation& situation);

/// What a look around showed counts for so long, from its beginning: a silent host and a slow BMC
/// take some seconds of it.
inline constexpr Duration look_max_age{15'000};

/// True of an incident about a domain, or about any of a host's.
bool is_care(const Incident& incident);

/// Why a report of a failed domain is not even looked at (a soft state, a name that the cluster
/// file does not have); empty: it is.
std::optional<std::string> report_objection(const Inventory& inventory, const HostEvent& event);

/// A domain that is to be brought back is off as recorded; a recovery of its host has to take it
/// over as if it ran there. `counted`: those whose record was changed for that.
void count_as_running(const CareSituation& situation, ClusterRecord& record,
                      std::set<std::string>& counted);

/// The pause before the next restart, counted from the last one: none for the first, then
/// `first`, doubled each time, at most ten minutes.
Duration back_off(Duration first, int restarts);

}  // namespace domkeeper
