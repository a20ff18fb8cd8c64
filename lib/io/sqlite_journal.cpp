// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sqlite_journal.hpp"

#include <algorithm>
#include <array>

#include "lib/core/error.hpp"

namespace domkeeper {
namespace {

// To version 2: hosts in maintenance; `move` is what people are shown of moves under way. To 3: the
// care of domains. To 4: hosts that were fenced; `kept` are definitions that were taken away from
// them, `monitor` has one row.
constexpr std::array<const char*, 3> upgrades{
    "CREATE TABLE maintenance("
    "  host TEXT PRIMARY KEY, phase TEXT NOT NULL, stop INTEGER NOT NULL, partial INTEGER NOT NULL,"
    "  keep_spare INTEGER NOT NULL, stay INTEGER NOT NULL, incident INTEGER NOT NULL,"
    "  who TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL) STRICT;"
    "CREATE TABLE away("
    "  host TEXT NOT NULL REFERENCES maintenance(host) ON DELETE CASCADE, domain TEXT NOT NULL,"
    "  PRIMARY KEY(host, domain)) STRICT;"
    "CREATE TABLE move("
    "  domain TEXT PRIMARY KEY, host TEXT NOT NULL, target TEXT NOT NULL, at INTEGER NOT NULL,"
    "  elapsed INTEGER NOT NULL, total INTEGER NOT NULL, done INTEGER NOT NULL,"
    "  remaining INTEGER NOT NULL, rate INTEGER NOT NULL, dirty INTEGER NOT NULL,"
    "  time_left INTEGER, downtime INTEGER) STRICT;",
    "ALTER TABLE incident ADD COLUMN domain TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE pending ADD COLUMN domain TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX incident_domain ON incident(domain, id) WHERE domain != '';"
    "CREATE TABLE hold("
    "  domain TEXT PRIMARY KEY, until INTEGER, who TEXT NOT NULL, reason TEXT NOT NULL,"
    "  since INTEGER NOT NULL) STRICT;",
    "ALTER TABLE maintenance ADD COLUMN fenced INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE kept("
    "  id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident(id),"
    "  host TEXT NOT NULL, domain TEXT NOT NULL, at INTEGER NOT NULL, xml TEXT NOT NULL) STRICT;"
    "CREATE INDEX kept_incident ON kept(incident);"
    "CREATE TABLE monitor(id INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;"
    "CREATE INDEX entry_fence ON entry(at) WHERE kind = 'intent' AND step = 'fence';"};

constexpr SqliteSchema schema{
    "journal", 0x646B6A6C,
    // Times are microseconds since 1970, UTC. The last row of arming is the one that counts.
    "CREATE TABLE incident("
    "  id INTEGER PRIMARY KEY, host TEXT NOT NULL, opened INTEGER NOT NULL, closed INTEGER,"
    "  state TEXT NOT NULL, summary TEXT NOT NULL) STRICT;"
    "CREATE INDEX incident_open ON incident(id) WHERE state = 'open';"
    "CREATE TABLE entry("
    "  id INTEGER PRIMARY KEY, incident INTEGER REFERENCES incident(id), at INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, step TEXT NOT NULL, host TEXT NOT NULL, domain TEXT NOT NULL,"
    "  target TEXT NOT NULL, ok INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX entry_incident ON entry(incident, id);"
    "CREATE TABLE pending("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, host TEXT NOT NULL,"
    "  state TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL, output TEXT NOT NULL,"
    "  confirmed_off TEXT NOT NULL) STRICT;"
    "CREATE TABLE arming("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, armed INTEGER NOT NULL, until INTEGER,"
    "  who TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL) STRICT;",
    false, "make sure that no recovery is under way, then move it and its -wal file away",
    upgrades};

template <typename T>
T known(SqliteDb& db, const std::optional<T>& value, const std::string& word) {
    if (!value) db.damaged("unknown word \"" + word + "\"");
    return *value;
}

}  // namespace

SqliteJournal::SqliteJournal(const std::string& state_dir)
    : db_(state_dir + "/journal.db", schema) {}

IncidentId SqliteJournal::next_incident() {
    const std::lock_guard lock(mutex_);
    auto last = db_.query("SELECT coalesce(max(id), 0) FROM incident");
    last.step();
    return last.integer(0) + 1;
}

void SqliteJournal::commit(const JournalBatch& batch) {
    if (batch.empty()) return;
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    auto open = db_.query("INSERT INTO incident VALUES(?, ?, ?, ?, ?, ?, ?)");
    for (const Incident& incident : batch.opened) {
        open.bind(1, incident.id).bind(2, incident.host).bind(3, incident.opened);
        open.bind(4, incident.closed).bind(5, incident_state_name(incident.state));
        open.bind(6, incident.summary).bind(7, incident.domain).run();
    }
    write_entries(batch.entries);
    auto close = db_.query("UPDATE incident SET closed = ?, state = ?, summary = ? WHERE id = ?");
    for (const Incident& incident : batch.closed) {
        close.bind(1, incident.closed).bind(2, incident_state_name(incident.state));
        if (close.bind(3, incident.summary).bind(4, incident.id).run() != 1)
            throw SystemError("journal " + db_.path() + " has no incident " +
                              std::to_string(incident.id) + " to close; nothing was done");
    }
    if (batch.events_done > 0)
        db_.query("DELETE FROM pending WHERE id IN (SELECT id FROM pending ORDER BY id LIMIT ?)")
            .bind(1, static_cast<std::int64_t>(batch.events_done))
            .run();
    write_marks(batch.marks);
    write_fenced(batch);
    transaction.commit();
}

void SqliteJournal::write_marks(const std::vector<MarkChange>& marks) {
    for (const MarkChange& mark : marks) {
        if (mark.remove && db_.query("DELETE FROM maintenance WHERE host = ? AND phase = ?")
                                   .bind(1, mark.host)
                                   .bind(2, maintenance_phase_name(mark.was))
                                   .run() == 1)
            continue;
        db_.query("UPDATE maintenance SET incident = ?2 WHERE host = ?1")
            .bind(1, mark.host)
            .bind(2, mark.incident)
            .run();
        // An order to stop is fulfilled when the work rests.
        db_.query(
               "UPDATE maintenance SET stop = CASE WHEN ?3 = 'held' THEN 0 ELSE stop END,"
               " phase = ?3 WHERE host = ?1 AND phase = ?2")
            .bind(1, mark.host)
            .bind(2, maintenance_phase_name(mark.was))
            .bind(3, maintenance_phase_name(mark.phase))
            .run();
        write_away(mark.host, mark.domains);
        if (mark.taken_in)
            db_.query("UPDATE maintenance SET fenced = 0 WHERE host = ?").bind(1, mark.host).run();
    }
}

void SqliteJournal::write_away(const std::string& host, const std::vector<std::string>& domains) {
    db_.query("DELETE FROM away WHERE host = ?").bind(1, host).run();
    for (const std::string& domain : domains)
        db_.query("INSERT OR IGNORE INTO away SELECT host, ?2 FROM maintenance WHERE host = ?1")
            .bind(1, host)
            .bind(2, domain)
            .run();
}

std::vector<Maintenance> SqliteJournal::maintenance() {
    const std::lock_guard lock(mutex_);
    std::vector<Maintenance> out;
    auto rows = db_.query(
        "SELECT host, phase, stop, partial, keep_spare, stay, incident, who, reason, since, fenced"
        " FROM maintenance ORDER BY since, host");
    while (rows.step()) {
        Maintenance mark;
        mark.host = rows.text(0);
        mark.phase = known(db_, parse_maintenance_phase(rows.text(1)), rows.text(1));
        mark.stop = rows.integer(2) != 0;
        mark.partial = rows.integer(3) != 0;
        mark.keep_spare = rows.integer(4) != 0;
        mark.stay = rows.integer(5) != 0;
        mark.incident = rows.integer(6);
        mark.who = rows.text(7);
        mark.reason = rows.text(8);
        mark.since = rows.time(9);
        mark.fenced = rows.integer(10) != 0;
        auto away = db_.query("SELECT domain FROM away WHERE host = ? ORDER BY domain");
        away.bind(1, mark.host);
        while (away.step()) mark.domains.push_back(away.text(0));
        out.push_back(std::move(mark));
    }
    return out;
}

void SqliteJournal::order_maintenance(const Maintenance& order) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query(
           "INSERT INTO maintenance VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, 0)"
           " ON CONFLICT(host) DO UPDATE SET phase = ?2, stop = ?3, partial = ?4, keep_spare = ?5,"
           " stay = ?6, who = ?7, reason = ?8")
        .bind(1, order.host)
        .bind(2, maintenance_phase_name(order.phase))
        .bind(3, order.stop)
        .bind(4, order.partial)
        .bind(5, order.keep_spare)
        .bind(6, order.stay)
        .bind(7, order.who)
        .bind(8, order.reason)
        .bind(9, order.since)
        .run();
    transaction.commit();
}

std::vector<MoveProgress> SqliteJournal::progress() {
    const std::lock_guard lock(mutex_);
    std::vector<MoveProgress> out;
    auto rows = db_.query(
        "SELECT domain, host, target, at, elapsed, total, done, remaining, rate, dirty, time_left,"
        " downtime FROM move ORDER BY domain");
    while (rows.step()) {
        MoveProgress move;
        move.domain = rows.text(0);
        move.host = rows.text(1);
        move.target = rows.text(2);
        move.at = rows.time(3);
        move.elapsed = Duration{rows.integer(4)};
        move.total = Bytes{rows.integer(5)};
        move.done = Bytes{rows.integer(6)};
        move.left = Bytes{rows.integer(7)};
        move.rate = Bytes{rows.integer(8)};
        move.dirty_rate = Bytes{rows.integer(9)};
        if (!rows.is_null(10)) move.time_left = Duration{rows.integer(10)};
        if (!rows.is_null(11)) move.downtime = Duration{rows.integer(11)};
        out.push_back(std::move(move));
    }
    return out;
}

void SqliteJournal::write_progress(const MoveProgress& move) {
    const auto milliseconds = [](const std::optional<Duration>& span) {
        std::optional<std::int64_t> count;
        if (span) count = span->count();
        return count;
    };
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query("INSERT OR REPLACE INTO move VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, move.domain)
        .bind(2, move.host)
        .bind(3, move.target)
        .bind(4, move.at)
        .bind(5, static_cast<std::int64_t>(move.elapsed.count()))
        .bind(6, move.total.count)
        .bind(7, move.done.count)
        .bind(8, move.left.count)
        .bind(9, move.rate.count)
        .bind(10, move.dirty_rate.count)
        .bind(11, milliseconds(move.time_left))
        .bind(12, milliseconds(move.downtime))
        .run();
    transaction.commit();
}

void SqliteJournal::end_progress(const std::string& domain) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    db_.query("DELETE FROM move WHERE domain = ?").bind(1, domain).run();
    transaction.commit();
}

void SqliteJournal::write_entries(const std::vector<JournalEntry>& entries) {
    auto insert = db_.query(
        "INSERT INTO entry(incident, at, kind, step, host, domain, target, ok, text)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bool loose = false;
    for (const JournalEntry& entry : entries) {
        if (entry.incident == 0)
            insert.bind_null(1);
        else
            insert.bind(1, entry.incident);
        insert.bind(2, entry.at).bind(3, entry_kind_name(entry.kind));
        insert.bind(4, step_kind_name(entry.step)).bind(5, entry.host).bind(6, entry.domain);
        insert.bind(7, entry.target).bind(8, entry.ok).bind(9, entry.text).run();
        loose = loose || entry.incident == 0;
    }
    if (loose)
        db_.query(
               "DELETE FROM entry WHERE incident IS NULL AND id <="
               " (SELECT id FROM entry WHERE incident IS NULL ORDER BY id DESC LIMIT 1"
               "  OFFSET 10000)")
            .run();
}

Incident SqliteJournal::read_incident(const SqliteQuery& row) {
    Incident incident;
    incident.id = row.integer(0);
    incident.host = row.text(1);
    incident.opened = row.time(2);
    if (!row.is_null(3)) incident.closed = row.time(3);
    incident.state = known(db_, parse_incident_state(row.text(4)), row.text(4));
    incident.summary = row.text(5);
    incident.domain = row.text(6);
    return incident;
}

JournalEntry SqliteJournal::read_entry(const SqliteQuery& row) {
    JournalEntry entry;
    entry.incident = row.integer(0);  // NULL reads as 0
    entry.at = row.time(1);
    entry.kind = known(db_, parse_entry_kind(row.text(2)), row.text(2));
    entry.step = known(db_, parse_step_kind(row.text(3)), row.text(3));
    entry.host = row.text(4);
    entry.domain = row.text(5);
    entry.target = row.text(6);
    entry.ok = row.integer(7) != 0;
    entry.text = row.text(8);
    return entry;
}

std::vector<Incident> SqliteJournal::incidents(int newest) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query("SELECT * FROM incident ORDER BY id DESC LIMIT ?");
    rows.bind(1, std::max(newest, 0));
    std::vector<Incident> out;
    while (rows.step()) out.push_back(read_incident(rows));
    return out;
}

std::optional<Incident> SqliteJournal::incident(IncidentId id) {
    const std::lock_guard lock(mutex_);
    auto row = db_.query("SELECT * FROM incident WHERE id = ?");
    row.bind(1, id);
    if (!row.step()) return std::nullopt;
    return read_incident(row);
}

std::vector<Incident> SqliteJournal::unfinished() {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query("SELECT * FROM incident WHERE state = 'open' ORDER BY id");
    std::vector<Incident> out;
    while (rows.step()) out.push_back(read_incident(rows));
    return out;
}

std::vector<JournalEntry> SqliteJournal::entries(IncidentId id) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT incident, at, kind, step, host, domain, target, ok, text FROM entry"
        " WHERE incident = ? ORDER BY id");
    rows.bind(1, id);
    std::vector<JournalEntry> out;
    while (rows.step()) out.push_back(read_entry(rows));
    return out;
}

std::vector<JournalEntry> SqliteJournal::loose_entries(int newest) {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT incident, at, kind, step, host, domain, target, ok, text FROM entry"
        " WHERE incident IS NULL ORDER BY id DESC LIMIT ?");
    rows.bind(1, std::max(newest, 0));
    std::vector<JournalEntry> out;
    while (rows.step()) out.push_back(read_entry(rows));
    return out;
}

void SqliteJournal::push_event(const HostEvent& event, TimePoint at) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    auto insert = db_.query(
        "INSERT INTO pending(at, host, state, type, source, output, confirmed_off, domain)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, at).bind(2, event.host).bind(3, host_state_name(event.state));
    insert.bind(4, state_type_name(event.type)).bind(5, event.source).bind(6, event.output);
    insert.bind(7, event.confirmed_off).bind(8, event.domain).run();
    write_monitor(event);
    transaction.commit();
}

std::vector<HostEvent> SqliteJournal::pending_events() {
    const std::lock_guard lock(mutex_);
    auto rows = db_.query(
        "SELECT host, state, type, source, output, confirmed_off, domain FROM pending"
        " ORDER BY id");
    std::vector<HostEvent> out;
    while (rows.step())
        out.push_back({rows.text(0), known(db_, parse_host_state(rows.text(1)), rows.text(1)),
                       known(db_, parse_state_type(rows.text(2)), rows.text(2)), rows.text(3),
                       rows.text(4), rows.text(5), rows.text(6)});
    return out;
}

Arming SqliteJournal::arming() {
    const std::lock_guard lock(mutex_);
    auto row =
        db_.query("SELECT armed, until, who, reason, since FROM arming ORDER BY id DESC LIMIT 1");
    Arming arming;
    if (!row.step()) return arming;
    arming.armed = row.integer(0) != 0;
    if (!row.is_null(1)) arming.until = row.time(1);
    arming.who = row.text(2);
    arming.reason = row.text(3);
    arming.since = row.time(4);
    return arming;
}

void SqliteJournal::set_arming(const Arming& arming) {
    const std::lock_guard lock(mutex_);
    SqliteTransaction transaction(db_);
    auto insert =
        db_.query("INSERT INTO arming(armed, until, who, reason, since) VALUES(?, ?, ?, ?, ?)");
    insert.bind(1, arming.armed).bind(2, arming.until).bind(3, arming.who);
    insert.bind(4, arming.reason).bind(5, arming.since).run();
    transaction.commit();
}

}  // namespace domkeeper
