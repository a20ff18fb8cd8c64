// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <mutex>
#include <string>

#include "lib/io/sqlite_db.hpp"
#include "lib/port/journal.hpp"

namespace domkeeper {

/// The journal as journal.db in the state folder. Handlers, the worker and people's commands may
/// have it open at once; each call is one transaction and one wait for the disk, and waits up to
/// two seconds for another process. Calls may come from any thread, one at a time. Never keep one
/// open over a fork.
///
/// Of the entries that belong to no incident the newest 10000 are kept; incidents, their entries
/// and the history of arming are kept for good.
class SqliteJournal final : public Journal {
  public:
    /// Opens or makes `state_dir`/journal.db. Throws SystemError.
    explicit SqliteJournal(const std::string& state_dir);

    IncidentId next_incident() override;
    void commit(const JournalBatch& batch) override;

    std::vector<Incident> incidents(int newest) override;
    std::optional<Incident> incident(IncidentId id) override;
    std::vector<Incident> unfinished() override;
    std::vector<JournalEntry> entries(IncidentId id) override;
    std::vector<JournalEntry> loose_entries(int newest) override;

    void push_event(const HostEvent& event, TimePoint at) override;
    std::vector<HostEvent> pending_events() override;

    std::vector<Maintenance> maintenance() override;
    void order_maintenance(const Maintenance& order) override;
    std::vector<MoveProgress> progress() override;
    void write_progress(const MoveProgress& progress) override;
    void end_progress(const std::string& domain) override;

    std::vector<PastFence> fences_since(TimePoint since) override;
    std::optional<TimePoint> monitor_since() override;
    void keep_definition(const KeptDefinition& definition) override;
    std::vector<KeptDefinition> kept_definitions(IncidentId incident) override;
    std::vector<JournalEntry> domain_entries(const std::string& domain, TimePoint since) override;
    std::vector<DomainHold> holds() override;
    void set_hold(const DomainHold& hold) override;
    bool end_hold(const std::string& domain) override;

    Arming arming() override;
    void set_arming(const Arming& arming) override;

  private:
    Incident read_incident(const SqliteQuery& row);
    JournalEntry read_entry(const SqliteQuery& row);
    void write_entries(const std::vector<JournalEntry>& entries);
    void write_marks(const std::vector<MarkChange>& marks);
    void write_fenced(const JournalBatch& batch);
    void write_monitor(const HostEvent& event);
    void write_away(const std::string& host, const std::vector<std::string>& domains);

    std::mutex mutex_;
    SqliteDb db_;
};

}  // namespace domkeeper
