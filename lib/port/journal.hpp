// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/core/journal_types.hpp"

namespace domkeeper {

/// The durable memory of what was reported, decided, tried and refused. Whatever a call wrote is
/// on disk when it returns. All throw SystemError (disk full, unreadable, newer version).
class Journal {
  public:
    virtual ~Journal() = default;

    /// Opens an incident; the caller appends its first entries.
    virtual IncidentId open_incident(const std::string& host, TimePoint at) = 0;
    /// Closes it with its end state and one line.
    virtual void close_incident(IncidentId id, IncidentState state, const std::string& summary,
                                TimePoint at) = 0;
    /// Appends in order, all or none.
    virtual void append(const std::vector<JournalEntry>& entries) = 0;

    virtual std::vector<Incident> incidents(int newest) = 0;  ///< newest first
    virtual std::optional<Incident> incident(IncidentId id) = 0;
    virtual std::vector<Incident> unfinished() = 0;  ///< oldest first
    virtual std::vector<JournalEntry> entries(IncidentId id) = 0;
    /// Newest entries that belong to no incident (refused or ignored events), newest first.
    virtual std::vector<JournalEntry> loose_entries(int newest) = 0;

    /// Events on their way to the worker: put by handlers, taken by the one who holds the lock.
    virtual void push_event(const HostEvent& event, TimePoint at) = 0;
    /// What waits, oldest first. It stays until done_events().
    virtual std::vector<HostEvent> pending_events() = 0;
    /// Forgets the oldest `count` pending events.
    virtual void done_events(std::size_t count) = 0;

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
    /// moves here.
    virtual void write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) = 0;
};

}  // namespace domkeeper
