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
#include "lib/core/maintenance_types.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/power.hpp"
#include "lib/core/record.hpp"
#include "lib/core/storage_health.hpp"

namespace domkeeper {

/// The recovery of lost hosts as a state machine without effects: advance() takes what happened
/// and says what to write down and what to do next. Whoever runs it writes the journal first and
/// acts afterwards; so each intent is durable before its effect.

// ---- what happens ---------------------------------------------------------------------------

/// A monitor or an operator reports a state of a host.
struct HostReported {
    HostEvent event;
};
/// An incident that a killed worker left open, with all that was journaled of it.
struct Resumed {
    Incident incident;
    std::vector<JournalEntry> entries;
};
/// The second look at the reported host ended.
struct SuspectLooked {
    IncidentId incident = 0;
    bool answered = false;
    bool asked = true;  ///< false: nothing could be sent, silence means nothing
    std::string evidence;
};
/// The look at all other hosts and the witnesses ended.
struct PeersLooked {
    IncidentId incident = 0;
    std::map<std::string, bool> answered;  ///< by host name
    int witnesses = 0;                     ///< how many answered
};
/// The look at the storage nodes ended.
struct StorageLooked {
    IncidentId incident = 0;
    std::vector<StorageReport> reports;
};
/// The order to evacuate a host is in the journal.
struct EvacuationOrdered {
    IncidentId incident = 0;
};
/// A host's hypervisor was read, or not.
struct Observed {
    std::string host;
    Instant began;                 ///< the view is not older than this
    std::optional<HostView> view;  ///< empty: no answer
    std::string why;               ///< of an empty view; printable
};
/// The fence devices of a host were read without switching anything.
struct PowerRead {
    std::string host;
    bool off = false;  ///< every device of these levels reads off
    std::string text;
    Coverage covers{};                   ///< what `off` proves
    std::vector<std::size_t> levels{0};  ///< that were read
};
/// A fence level ended.
struct FenceEnded {
    IncidentId incident = 0;
    bool off = false;
    std::string text;   ///< evidence or reason
    Coverage covers{};  ///< what `off` proves
};
enum class StartResult { Ok, Failed, Unknown };
/// A start returned.
struct StartEnded {
    IncidentId incident = 0;
    std::string domain;
    std::string target;
    StartResult result = StartResult::Failed;
    std::string text;
};
/// The guest of a started domain was asked for its sign.
struct GuestAsked {
    IncidentId incident = 0;
    std::string domain;
    bool asked = true;  ///< false: nothing could be asked, silence means nothing
    bool answered = false;
    std::string text;  ///< what was heard, or not; printable
};
/// A domain that did not do its work was to be stopped.
struct DomainStopped {
    IncidentId incident = 0;
    std::string domain;
    std::string target;
    bool stopped = false;  ///< false: it may still run
    std::string text;
};
/// Time passed.
struct Tick {};

using RecoveryEvent = std::variant<HostReported, Resumed, SuspectLooked, PeersLooked, StorageLooked,
                                   EvacuationOrdered, Observed, PowerRead, FenceEnded, StartEnded,
                                   GuestAsked, DomainStopped, Tick>;

// ---- what to do -----------------------------------------------------------------------------

struct LookAtSuspect {
    IncidentId incident = 0;
    std::string host;
};
struct LookAtPeers {
    IncidentId incident = 0;
    std::string except;
};
struct LookAtStorage {
    IncidentId incident = 0;
};
/// Orders what an operator orders by `domkeeper evacuate HOST --partial`.
struct OrderEvacuation {
    IncidentId incident = 0;
    std::string host;
    std::string reason;
};
struct Observe {
    std::string host;
    Duration limit;
};
/// Reads the devices of these fence levels of the host and switches nothing.
struct ReadPower {
    std::string host;
    std::vector<std::size_t> levels{0};
};
struct Fence {
    IncidentId incident = 0;
    std::string host;
    std::size_t level = 0;
    bool first_proof = true;  ///< nothing is proved of the host yet
};
/// Takes an operator's recorded word for the proof.
struct AcceptConfirmation {
    IncidentId incident = 0;
    std::string host;
    std::string statement;
};
struct Start {
    IncidentId incident = 0;
    DomainRecord domain;
    std::string lost_host;
    std::string target;
};
/// Asks a guest once for its sign.
struct AskGuest {
    IncidentId incident = 0;
    DomainRecord domain;
    std::string target;
    GuestSign sign;
};
/// Ends a domain that was started here and does not do its work.
struct StopDomain {
    IncidentId incident = 0;
    DomainRecord domain;
    std::string target;
};
/// The record learns at once where a domain runs now: its new host may be the next to die.
struct MoveRecord {
    std::string domain;
    std::string host;
};
struct Notify {
    std::string text;
};

using RecoveryAction =
    std::variant<LookAtSuspect, LookAtPeers, LookAtStorage, OrderEvacuation, Observe, ReadPower,
                 Fence, AcceptConfirmation, Start, AskGuest, StopDomain, MoveRecord, Notify>;

// ---- what is known --------------------------------------------------------------------------

enum class CasePhase {
    Quiet,      ///< the monitor has just started: what it says at first is not acted on
    Looking,    ///< is it really dead?
    Standing,   ///< its storage is down: fencing would help nobody until that is back
    Fencing,    ///< make it so
    Observing,  ///< what runs where now?
    Starting,   ///< starts and their verification are under way
};

enum class DomainPhase {
    Waiting,   ///< to be placed, or placed and waiting for its turn
    Starting,  ///< a start is under way
    Unsure,    ///< a start ended without a word; being observed
    Settling,  ///< runs, must stay so for the settle time
    Awaiting,  ///< stayed so; its guest is to answer
    Stopping,  ///< its guest did not answer: it is being stopped, to be tried elsewhere
    Runs,      ///< end: verified
    Refused,   ///< end: not started, or not stable
};

/// One domain of a lost host.
struct DomainCase {
    DomainRecord record;
    int priority = 0;
    DomainPhase phase = DomainPhase::Waiting;
    std::string target;   ///< where it is placed, or started
    bool placed = false;  ///< while Waiting: `target` was chosen and its memory is spoken for
    Instant placed_at;    ///< of `placed`: by what was seen until then
    bool pinned = false;  ///< an earlier start on `target` has no known end: nowhere else, then
    bool ours = false;    ///< started by us, so it is ours to stop
    bool asking = false;  ///< of Awaiting: a question is on its way
    int attempts = 0;     ///< starts that failed
    std::set<std::string> failed_on;
    std::optional<Instant> not_before;    ///< of Waiting: when its delay ends
    bool waited = false;                  ///< its delay is over
    std::optional<Instant> unseen_since;  ///< since when it waits for a host that may run it
    Instant since;                        ///< when the phase began
    /// Of Unsure and Settling: a view must not be older to count. Of Awaiting: the next question.
    Instant next_look;
    std::optional<Refusal> refusal;

    bool is_unplaced() const { return phase == DomainPhase::Waiting && !placed; }
};

/// One lost host.
struct HostCase {
    IncidentId id = 0;
    std::string host;
    CasePhase phase = CasePhase::Looking;
    std::string confirmed_off;  ///< an operator's statement; empty: none
    bool resumed = false;
    bool fenced_before = false;  ///< a killed worker had it off already
    std::optional<SuspectLooked> suspect;
    std::optional<PeersLooked> peers;
    bool by_operator = false;   ///< ordered by a person: the guards against haste don't hold
    bool storage_lost = false;  ///< reported as cut off from its storage, not as dead
    bool fence_tried = false;   ///< by a killed worker, whatever came of it
    std::optional<StorageLooked> storage;
    std::string stands_for;  ///< why it stood still; told once
    Instant stand_look;      ///< while Standing: when it is looked again; Quiet: when at first
    Instant looking_since;   ///< of Looking: an older reading says nothing
    bool hypervisor_asked = false;  ///< its hypervisor was read or found silent
    bool hypervisor_answered = false;
    bool power_off = false;  ///< its first fence level read off by itself, which proves everything
    std::size_t level = 0;
    int round = 0;
    std::vector<std::string> fence_failures;
    Coverage proved;  ///< so far; fencing goes on while a wanted domain is not covered
    std::vector<std::size_t> proof_levels;  ///< whose devices proved it
    bool off = false;                       ///< proved, as far as it goes
    bool returned = false;                  ///< it answers although it was proved off
    bool marked = false;                    ///< it is on record that it was to be fenced
    bool said_up = false;                   ///< the last that was reported of it
    Instant off_at;                         ///< when the proof was read last
    Instant views_since;                    ///< what is seen of the peers must not be older
    std::set<std::string> held;  ///< domains on their way to or from it: theirs to settle first
    std::optional<Instant> held_since;
    std::map<std::string, DomainCase> domains;
    bool planned = false;
    std::map<std::string, std::string> stopping;  ///< best-effort domains, and where they end
    std::set<std::string> unstoppable;            ///< of these, where that failed
    std::set<std::string> awaiting_room;          ///< domains for which they are stopped
    std::set<std::string> awaiting_peer;  ///< domains that may run on a host that does not answer
    Instant peer_look;                    ///< of these: when the hosts are read again
    /// Domains that must be together with one on a host that is being looked at or fenced.
    std::set<std::string> awaiting_group;
};

/// The last that was seen of a host.
struct LastView {
    Instant began;
    std::optional<HostView> view;
    std::string why;
    Instant came{};  ///< when that look ended
};

/// All that the worker knows and is busy with.
struct Situation {
    IncidentId next_incident = 1;
    std::map<std::string, HostCase> cases;                  ///< by host
    std::map<std::string, LastView> views;                  ///< by host
    std::set<std::string> observing;                        ///< hosts that are being read now
    std::map<std::string, std::optional<PowerRead>> power;  ///< asked; empty: being read

    bool idle() const { return cases.empty(); }
    /// Domains that were placed, are being started, or run again, and where.
    std::map<std::string, std::string> placed() const;
};

/// Where a domain in care comes back.
struct CaredFor {
    std::string host;
    bool is_bound = false;  ///< it is being brought back there, or was; else it waits for its turn
};

/// What a step may look at beside the situation.
struct RecoveryContext {
    const Inventory& inventory;
    const ClusterRecord& record;
    Arming arming;
    Now now;
    PackingSearch packing{};                   ///< behind the quick ways of placing; empty: none
    std::vector<Maintenance> marks{};          ///< hosts in maintenance
    std::map<std::string, Moving> moving{};    ///< domains that are being moved just now
    std::vector<PastFence> fences{};           ///< of the last hour, and of the cool-down
    std::optional<TimePoint> monitor_since{};  ///< when the monitor started; empty: it does not say
    /// Domains that failed and are cared for, and where they are to be brought back.
    std::map<std::string, CaredFor> cared{};
};

/// So far back the journal is asked for fences.
Duration fence_memory(const Policy& policy);

/// What a step wants written and done, in this order.
struct RecoveryStep {
    std::vector<Incident> opened;
    std::vector<JournalEntry> entries;
    std::vector<Incident> closed;
    std::vector<FencedHost> fenced;
    std::vector<ReturnOrder> returns;
    std::vector<RecoveryAction> actions;
};

/// One step: changes the situation and says what to write and do.
RecoveryStep advance(Situation& situation, const RecoveryEvent& event,
                     const RecoveryContext& context);

/// When a Tick is due even if nothing happens; empty: never.
std::optional<Instant> next_wake(const Situation& situation);

/// A proof older than this is read again before it allows another start: an administrator may
/// have switched the host on again. No host gets from its power button to its first domain in
/// less.
inline constexpr Duration proof_max_age{5'000};

/// The hosts are read again before a start when they were read longer ago: meanwhile somebody may
/// have started the domain elsewhere by hand, or a host by itself.
inline constexpr Duration view_max_age = proof_max_age;

/// The domains that ran on `host` by the record, split into those to be placed and those refused
/// for reasons that need no look at the peers.
struct Wanted {
    std::vector<DomainCase> domains;
    std::vector<Refusal> refusals;
};
Wanted wanted_domains(const Inventory& inventory, const ClusterRecord& record,
                      const std::string& host);

/// Why a host in maintenance may be down: nothing that is to be started again is recorded there,
/// and nothing is on its way. Empty: it is in use, or there is something to recover.
std::optional<std::string> resting(const RecoveryContext& context, const std::string& host);

/// Whether a host with that mark, which was fenced, is taken in again when the monitor sees it up;
/// else it waits for an operator.
bool returns_by_itself(const Policy& policy, const Maintenance& mark);

/// Why nothing may be done about `host` whatever a look would show (unknown, disarmed, no fence
/// device, no record or too old a one); empty: nothing speaks against it.
std::optional<std::string> standing_objection(const RecoveryContext& context,
                                              const std::string& host, bool confirmed_off);

}  // namespace domkeeper
