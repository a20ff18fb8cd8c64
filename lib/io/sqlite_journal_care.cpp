// SPDX-License-Identifier: GPL-3.0-or-later
// The part of the journal that the care of domains needs.
#include "lib/io/sqlite_journal.hpp"

namespace domkeeper {

std::vector<JournalEntry> SqliteJournal::domain_entries(const std::string& domain,
                                                        TimePoint since) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT e.incident, e.at, e.kind, e.step, e.host, e.domain, e.target, e.ok, e.text"
        " FROM incident i JOIN entry e ON e.incident = i.id"
        " WHERE i.domain = ?1 AND i.domain != '' AND e.domain = ?1 AND e.at >= ?2 ORDER BY e.id");
    rows.bind(1, domain).bind(2, since);
    std::vector<JournalEntry> out;
    while (rows.step()) out.push_back(read_entry(rows));
    return out;
}

std::vector<DomainHold> SqliteJournal::holds() {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query("SELECT domain, until, who, reason, since FROM hold ORDER BY domain");
    std::vector<DomainHold> out;
    while (rows.step()) {
        DomainHold hold;
        hold.domain = rows.text(0);
        if (!rows.is_null(1)) hold.until = rows.time(1);
        hold.who = rows.text(2);
        hold.reason = rows.text(3);
        hold.since = rows.time(4);
        out.push_back(std::move(hold));
    }
    return out;
}

void SqliteJournal::set_hold(const DomainHold& hold) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query("INSERT OR REPLACE INTO hold VALUES(?, ?, ?, ?, ?)")
        .bind(1, hold.domain)
        .bind(2, hold.until)
        .bind(3, hold.who)
        .bind(4, hold.reason)
        .bind(5, hold.since)
        .run();
    transaction.commit();
}

bool SqliteJournal::end_hold(const std::string& domain) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    const bool was = db_.query("DELETE FROM hold WHERE domain = ?").bind(1, domain).run() == 1;
    transaction.commit();
    return was;
}

}  // namespace domkeeper
