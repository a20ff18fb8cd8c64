// SPDX-License-Identifier: GPL-3.0-or-later
// What the journal keeps of fenced hosts, their return, and what guards against fencing too often.
#include "lib/io/sqlite_journal.hpp"

namespace domkeeper {

void SqliteJournal::write_fenced(const JournalBatch& batch) {
    for (const FencedHost& fenced : batch.fenced) {
        db_.query(
               "INSERT INTO maintenance VALUES(?1, 'held', 0, 0, 0, 0, 0, ?2, ?3, ?4, 1)"
               " ON CONFLICT(host) DO UPDATE SET fenced = 1")
            .bind(1, fenced.host)
            .bind(2, marked_by_itself)
            .bind(3, "fenced in incident " + std::to_string(fenced.incident))
            .bind(4, fenced.at)
            .run();
        for (const std::string& domain : fenced.domains)
            db_.query("INSERT OR IGNORE INTO away VALUES(?1, ?2)")
                .bind(1, fenced.host)
                .bind(2, domain)
                .run();
    }
    for (const ReturnOrder& order : batch.returns)
        db_.query(
               "UPDATE maintenance SET phase = 'returning', stop = 0, stay = ?2"
               " WHERE host = ?1 AND phase = 'held' AND fenced = 1")
            .bind(1, order.host)
            .bind(2, order.stay)
            .run();
}

void SqliteJournal::write_monitor(const HostEvent& event) {
    if (!event.monitor_since) return;
    db_.query("INSERT OR REPLACE INTO monitor VALUES(1, ?1)").bind(1, *event.monitor_since).run();
}

std::optional<TimePoint> SqliteJournal::monitor_since() {
    const std::lock_guard lock(mutex_);
    auto row = db_.query("SELECT since FROM monitor WHERE id = 1");
    if (!row.step()) return std::nullopt;
    return row.time(0);
}

std::vector<PastFence> SqliteJournal::fences_since(TimePoint since) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT incident, host, at FROM entry WHERE kind = 'intent' AND step = 'fence'"
        " AND at >= ?1 AND incident IS NOT NULL ORDER BY id");
    rows.bind(1, since);
    std::vector<PastFence> out;
    while (rows.step()) out.push_back({rows.integer(0), rows.text(1), rows.time(2)});
    return out;
}

void SqliteJournal::keep_definition(const KeptDefinition& kept) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query("INSERT INTO kept(incident, host, domain, at, xml) VALUES(?1, ?2, ?3, ?4, ?5)")
        .bind(1, kept.incident)
        .bind(2, kept.host)
        .bind(3, kept.domain)
        .bind(4, kept.at)
        .bind(5, kept.xml)
        .run();
    transaction.commit();
}

std::vector<KeptDefinition> SqliteJournal::kept_definitions(IncidentId incident) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT incident, host, domain, at, xml FROM kept WHERE incident = ?1 ORDER BY id");
    rows.bind(1, incident);
    std::vector<KeptDefinition> out;
    while (rows.step())
        out.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.time(3), rows.text(4)});
    return out;
}

}  // namespace domkeeper
