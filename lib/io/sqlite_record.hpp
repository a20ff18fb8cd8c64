// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <mutex>
#include <string>

#include "lib/io/sqlite_db.hpp"
#include "lib/port/journal.hpp"

namespace domkeeper {

/// The record as record.db in the state folder, mode 0600, since definitions hold secrets: it is
/// refused when others can read it. Made to be written every second: a definition is written only
/// when it changed.
///
/// Three rules beyond the port's: a reading older than the host's last one is dropped whole, a
/// definition that could not be read this time (empty) leaves the one known for that UUID, and a
/// domain that has been shut off for 30 days is forgotten.
///
/// Calls may come from any thread, one at a time. Never keep one open over a fork.
class SqliteRecord final : public RecordStore {
  public:
    /// Opens or makes `state_dir`/record.db. Throws SystemError.
    explicit SqliteRecord(const std::string& state_dir);

    ClusterRecord read() override;
    void write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) override;
    void move_domain(const std::string& name, const std::string& host, TimePoint seen) override;

  private:
    bool write_reading(const HostRecord& host);
    void write_domain(const DomainRecord& domain, const HostRecord& host);

    std::mutex mutex_;
    SqliteDb db_;
};

}  // namespace domkeeper
