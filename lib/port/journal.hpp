// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/journal_types.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// One step's worth of journal: what changes together is written together.
struct JournalBatch {
    std::vector<Incident> opened;        ///< with ids from next_incident() on
    std::vector<JournalEntry> entries;   ///< in order
    std::vector<Incident> closed;        ///< id, closed, state and summary count; the rest is kept
    std::size_t events_done = 0;         ///< so many of the oldest pending events are forgotten
    std::vector<MarkChange> marks;       ///< of hosts in maintenance; an order (stop, ...) stays
    std::vector<FencedHost> fenced{};    ///< are marked, and learn which domains left them
    std::vector<ReturnOrder> returns{};  ///< of fenced hosts that are held; of others ignored

    bool empty() const {
        return opened.empty() && entries.empty() && closed.empty() && events_done == 0 &&
               marks.empty() && fenced.empty() && returns.empty();
    }
};

/// The durable memory of what was reported, decided, tried and refused. Whatever a call wrote is
/// on disk when it returns. All throw SystemError (disk full, unreadable, newer version).
class Journal {
  public:
    virtual ~Journal() = default;

    /// The number that the next incident gets. Only the holder of the worker's lock may use it.
    virtual IncidentId next_incident() = 0;
    /// Writes the whole batch in one transaction: all or none, durable when it returns.
    virtual void commit(const JournalBatch& batch) = 0;
    /// A batch of entries alone.
    void append(std::vector<JournalEntry> entries) {
        JournalBatch batch;
        batch.entries = std::move(entries);
        commit(batch);
    }

    virtual std::vector<Incident> incidents(int newest) = 0;  ///< newest first
    virtual std::optional<Incident> incident(IncidentId id) = 0;
    virtual std::vector<Incident> unfinished() = 0;  ///< oldest first
    virtual std::vector<JournalEntry> entries(IncidentId id) = 0;
    /// Newest entries that belong to no incident (refused or ignored events), newest first.
    virtual std::vector<JournalEntry> loose_entries(int newest) = 0;

    /// Events on their way to the worker: put by handlers, taken by the one who holds the lock.
    virtual void push_event(const HostEvent& event, TimePoint at) = 0;
    /// What waits, oldest first. It stays until a batch says that it is done with.
    virtual std::vector<HostEvent> pending_events() = 0;

    /// Hosts in maintenance, in the order in which they were marked.
    virtual std::vector<Maintenance> maintenance() = 0;
    /// An operator's order: makes or replaces the mark of that host, but for what the worker
    /// keeps in it (incident, domains).
    virtual void order_maintenance(const Maintenance& order) = 0;
    /// Intents to fence since then, of all incidents, oldest first.
    virtual std::vector<PastFence> fences_since(TimePoint since) = 0;
    /// When the monitor started last, by its own word with an event; empty: it never said.
    virtual std::optional<TimePoint> monitor_since() = 0;
    /// Durable when it returns, so that the definition itself may go.
    virtual void keep_definition(const KeptDefinition& definition) = 0;
    virtual std::vector<KeptDefinition> kept_definitions(IncidentId incident) = 0;
    /// How far the moves are; rows of moves that ended are gone. May be lost with the power.
    virtual std::vector<MoveProgress> progress() = 0;
    virtual void write_progress(const MoveProgress& progress) = 0;
    virtual void end_progress(const std::string& domain) = 0;

    /// What was written since then of one domain in incidents about domains, oldest first.
    virtual std::vector<JournalEntry> domain_entries(const std::string& domain,
                                                     TimePoint since) = 0;
    /// Domains that are to be left alone, in order of name; those that ended, too.
    virtual std::vector<DomainHold> holds() = 0;
    virtual void set_hold(const DomainHold& hold) = 0;     ///< makes or replaces it
    virtual bool end_hold(const std::string& domain) = 0;  ///< false: there was none

    virtual Arming arming() = 0;
    virtual void set_arming(const Arming& arming) = 0;
};

/// The record of what ran where. Same guarantees and errors as Journal.
class RecordStore {
  public:
    virtual ~RecordStore() = default;
    virtual ClusterRecord read() = 0;
    /// Replaces what is known of one host: `domains` are the active ones there now. A domain last
    /// seen on this host and not active any more is marked shut off; one that was seen elsewhere
    /// moves here. `host.seen` is when the read began: of a domain that was seen (or moved) later
    /// than that, nothing is changed, since the read may be older than the move.
    virtual void write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) = 0;
    /// A domain was started on `host` at that moment. Unknown names are ignored.
    virtual void move_domain(const std::string& name, const std::string& host, TimePoint seen) = 0;
};

}  // namespace domkeeper
