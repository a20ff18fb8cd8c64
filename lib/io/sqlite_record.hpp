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
/// Two rules beyond the port's: an older reading never replaces a newer one (by `seen`, of the
/// host and of each domain), and a definition that could not be read this time (empty) keeps the
/// one known for that UUID. A domain that has been shut off for 30 days is forgotten.
///
/// Calls may come from any thread, one at a time. Never keep one open over a fork.
class SqliteRecord final : public RecordStore {
  public:
    /// Opens or makes `state_dir`/record.db. Throws SystemError.
    explicit SqliteRecord(const std::string& state_dir);

    ClusterRecord read() override;
    void write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) override;

  private:
    bool write_reading(const HostRecord& host);
    void write_domain(const DomainRecord& domain, const std::string& host);

    std::mutex mutex_;
    SqliteDb db_;
};

}  // namespace domkeeper
