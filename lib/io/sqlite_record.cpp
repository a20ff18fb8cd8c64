// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sqlite_record.hpp"

#include <algorithm>
#include <array>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

// To version 2: labels with spaces between them.
constexpr std::array<const char*, 1> upgrades{
    "ALTER TABLE host ADD COLUMN offers TEXT NOT NULL DEFAULT '';"};

constexpr SqliteSchema schema{
    "record", 0x646B7263,
    // Times are microseconds since 1970, UTC; sizes are bytes. Definitions have a table of their
    // own, so that a new time alone does not write them again.
    "CREATE TABLE host("
    "  name TEXT PRIMARY KEY, seen INTEGER NOT NULL, memory_total INTEGER NOT NULL,"
    "  memory_free INTEGER, hypervisor TEXT NOT NULL) STRICT;"
    "CREATE TABLE domain("
    "  name TEXT PRIMARY KEY, uuid TEXT NOT NULL, host TEXT NOT NULL, state TEXT NOT NULL,"
    "  memory INTEGER NOT NULL, vcpus INTEGER NOT NULL, persistent INTEGER NOT NULL,"
    "  seen INTEGER NOT NULL) STRICT;"
    "CREATE TABLE definition("
    "  name TEXT PRIMARY KEY REFERENCES domain(name) ON DELETE CASCADE,"
    "  uuid TEXT NOT NULL, xml TEXT NOT NULL) STRICT;",
    true, "move it and its -wal file away: check_cluster fills a new one", upgrades};

}  // namespace

SqliteRecord::SqliteRecord(const std::string& state_dir) : db_(state_dir + "/record.db", schema) {}

ClusterRecord SqliteRecord::read() {
    const std::lock_guard lock(mutex_);
    // One read transaction: hosts and domains of the same moment.
    db_.execute("BEGIN");
    struct End {
        SqliteDb& db;
        ~End() {
            try {
                db.execute("COMMIT");
            } catch (...) {
                // It only read: there is nothing to lose, and SQLite ends it with the connection.
            }
        }
    } const end{db_};
    ClusterRecord record;
    auto hosts = db_.query(
        "SELECT name, seen, memory_total, memory_free, hypervisor, offers FROM host"
        " ORDER BY name");
    while (hosts.step()) {
        HostRecord host{hosts.text(0), hosts.time(1), Bytes{hosts.integer(2)}, std::nullopt,
                        hosts.text(4)};
        if (!hosts.is_null(3)) host.memory_free = Bytes{hosts.integer(3)};
        for (const std::string& label : split(hosts.text(5), ' '))
            if (!label.empty()) host.offers.insert(label);
        record.hosts.push_back(std::move(host));
    }
    auto domains = db_.query(
        "SELECT d.name, d.uuid, d.host, d.state, d.memory, d.vcpus, d.persistent, d.seen, x.xml"
        " FROM domain d LEFT JOIN definition x ON x.name = d.name AND x.uuid = d.uuid"
        " ORDER BY d.name");
    while (domains.step()) {
        const auto state = parse_domain_state(domains.text(3));
        if (!state) db_.damaged("unknown state \"" + domains.text(3) + "\"");
        record.domains.push_back({domains.text(0), domains.text(1), domains.text(2), *state,
                                  Bytes{domains.integer(4)}, static_cast<int>(domains.integer(5)),
                                  domains.integer(6) != 0, domains.time(7), domains.text(8)});
    }
    return record;
}

void SqliteRecord::write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    if (!write_reading(host)) return;
    // Who is not written below was not active here at host.seen.
    db_.query("UPDATE domain SET state = ? WHERE host = ? AND seen <= ?")
        .bind(1, domain_state_name(DomainState::ShutOff))
        .bind(2, host.host)
        .bind(3, host.seen)
        .run();
    for (const DomainRecord& domain : domains) write_domain(domain, host);
    db_.query("DELETE FROM domain WHERE state = ? AND seen < ?")
        .bind(1, domain_state_name(DomainState::ShutOff))
        .bind(2, host.seen - std::chrono::hours(30 * 24))
        .run();
    transaction.commit();
}

/// False: a newer reading of this host is known already.
bool SqliteRecord::write_reading(const HostRecord& host) {
    std::optional<std::int64_t> free;
    if (host.memory_free) free = host.memory_free->count;
    return db_.query(
                  "INSERT INTO host VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(name) DO UPDATE"
                  " SET seen = ?2, memory_total = ?3, memory_free = ?4, hypervisor = ?5,"
                  // What could not be read this time is as it was.
                  " offers = CASE ?6 WHEN '' THEN offers ELSE ?6 END"
                  " WHERE seen <= ?2")
               .bind(1, host.host)
               .bind(2, host.seen)
               .bind(3, host.memory_total.count)
               .bind(4, free)
               .bind(5, host.hypervisor)
               .bind(6, join({host.offers.begin(), host.offers.end()}, " "))
               .run() == 1;
}

void SqliteRecord::write_domain(const DomainRecord& domain, const HostRecord& host) {
    const int written =
        db_.query(
               "INSERT INTO domain VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
               " ON CONFLICT(name) DO UPDATE SET uuid = ?2, host = ?3, state = ?4, memory = ?5,"
               " vcpus = ?6, persistent = ?7, seen = ?8 WHERE seen <= ?9")
            .bind(1, domain.name)
            .bind(2, domain.uuid)
            .bind(3, host.host)
            .bind(4, domain_state_name(domain.state))
            .bind(5, domain.memory.count)
            .bind(6, domain.vcpus)
            .bind(7, domain.persistent)
            .bind(8, domain.seen)
            .bind(9, host.seen)
            .run();
    if (written == 0 || domain.xml.empty()) return;
    db_.query(
           "INSERT INTO definition VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE"
           " SET uuid = ?2, xml = ?3 WHERE uuid != ?2 OR xml != ?3")
        .bind(1, domain.name)
        .bind(2, domain.uuid)
        .bind(3, domain.xml)
        .run();
}

void SqliteRecord::move_domain(const std::string& name, const std::string& host, TimePoint seen) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query("UPDATE domain SET host = ?2, state = ?3, seen = ?4 WHERE name = ?1 AND seen <= ?4")
        .bind(1, name)
        .bind(2, host)
        .bind(3, domain_state_name(DomainState::Running))
        .bind(4, seen)
        .run();
    transaction.commit();
}

}  // namespace domkeeper
