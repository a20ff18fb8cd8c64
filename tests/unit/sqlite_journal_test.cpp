// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sqlite_journal.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "lib/core/error.hpp"
#include "tests/unit/journal_samples.hpp"
#include "tests/unit/scratch.hpp"
#include "tests/unit/sqlite_probe.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

const TimePoint noon{std::chrono::seconds(1'800'000'000)};

}  // namespace

TEST_CASE("journal gives back what a batch wrote, also after it was closed") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string odd = std::string("caf\xC3\xA9 'quoted' zero:\0.", 23);
    {
        SqliteJournal journal(folder);
        CHECK(journal.next_incident() == 1);
        JournalBatch batch = opening(1);
        batch.entries.push_back(entry(1, odd));
        batch.entries.push_back(entry(0, "loose"));
        journal.commit(batch);
        CHECK(journal.next_incident() == 2);
        CHECK(journal.unfinished().size() == 1);
    }
    SqliteJournal journal(folder);
    const auto entries = journal.entries(1);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].text == "first");
    CHECK(entries[1].text == odd);
    CHECK(entries[1].incident == 1);
    CHECK(entries[1].at == at(1));
    CHECK(entries[1].kind == EntryKind::Outcome);
    CHECK(entries[1].step == StepKind::Start);
    CHECK(entries[1].host == "xen1");
    CHECK(entries[1].domain == "web1");
    CHECK(entries[1].target == "xen2");
    CHECK_FALSE(entries[1].ok);
    REQUIRE(journal.loose_entries(10).size() == 1);
    CHECK(journal.loose_entries(10)[0].incident == 0);
    CHECK(journal.loose_entries(0).empty());

    JournalBatch batch = opening(2);
    batch.closed.push_back({1, "ignored", at(99), at(9), IncidentState::Partial, "two of three"});
    journal.commit(batch);
    const auto incidents = journal.incidents(10);
    REQUIRE(incidents.size() == 2);
    CHECK(incidents[0].id == 2);
    CHECK(incidents[1].id == 1);
    CHECK(incidents[1].host == "xen1");
    CHECK(incidents[1].opened == at(0));
    CHECK(incidents[1].closed == at(9));
    CHECK(incidents[1].state == IncidentState::Partial);
    CHECK(incidents[1].summary == "two of three");
    CHECK(journal.incidents(1).size() == 1);
    REQUIRE(journal.unfinished().size() == 1);
    CHECK(journal.unfinished()[0].id == 2);
    CHECK(journal.incident(1)->state == IncidentState::Partial);
    CHECK_FALSE(journal.incident(3));
    CHECK(journal.entries(3).empty());
}

TEST_CASE("journal writes all of a batch or nothing") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    journal.commit(opening(1));
    journal.push_event(event("a"), at(0));

    SECTION("an incident that is there already") {
        JournalBatch batch = opening(1);
        batch.events_done = 1;
        CHECK_THROWS_AS(journal.commit(batch), SystemError);
    }
    SECTION("an entry of an unknown incident") {
        JournalBatch batch;
        batch.entries = {entry(1, "good"), entry(7, "bad")};
        batch.events_done = 1;
        CHECK_THROWS_AS(journal.commit(batch), SystemError);
    }
    SECTION("closing an unknown incident") {
        JournalBatch batch;
        batch.entries = {entry(1, "good")};
        batch.closed.push_back({7, "", at(0), at(1), IncidentState::Failed, ""});
        batch.events_done = 1;
        CHECK_THROWS_WITH(journal.commit(batch), Contains("no incident 7 to close"));
    }
    CHECK(journal.entries(1).size() == 1);
    CHECK(journal.incident(1)->state == IncidentState::Open);
    CHECK(journal.pending_events().size() == 1);
    // And it goes on working.
    journal.append({entry(1, "next")});
    CHECK(journal.entries(1).size() == 2);
}

TEST_CASE("journal keeps events until they are done with") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    CHECK(journal.pending_events().empty());
    for (const char* text : {"a", "b", "c"}) journal.push_event(event(text), at(0));
    auto waiting = journal.pending_events();
    REQUIRE(waiting.size() == 3);
    CHECK(waiting[0].output == "a");
    CHECK(waiting[0].host == "xen1");
    CHECK(waiting[0].state == HostState::Down);
    CHECK(waiting[0].type == StateType::Soft);
    CHECK(waiting[0].source == "monitor");
    CHECK(waiting[0].confirmed_off == "seen by \"alice\"");
    JournalBatch batch;
    batch.events_done = 2;
    journal.commit(batch);
    waiting = journal.pending_events();
    REQUIRE(waiting.size() == 1);
    CHECK(waiting[0].output == "c");
}

TEST_CASE("journal: a new installation is disarmed, and the last word counts") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    CHECK_FALSE(journal.arming().armed);
    CHECK_FALSE(journal.arming().armed_at(at(0)));
    journal.set_arming({true, std::nullopt, "alice", "tested", at(1)});
    CHECK(journal.arming().armed);
    CHECK(journal.arming().who == "alice");
    journal.set_arming({false, at(100), "bob", "work", at(2)});
    const Arming arming = journal.arming();
    CHECK_FALSE(arming.armed);
    CHECK(arming.until == at(100));
    CHECK(arming.who == "bob");
    CHECK(arming.reason == "work");
    CHECK(arming.since == at(2));
}

TEST_CASE("journal keeps a bounded number of entries without incident") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    journal.commit(opening(1));
    for (int round = 0; round < 3; ++round) {
        std::vector<JournalEntry> many;
        for (int i = 0; i < 4000; ++i) many.push_back(entry(0, std::to_string(round * 4000 + i)));
        journal.append(many);
    }
    const auto kept = journal.loose_entries(20'000);
    REQUIRE(kept.size() == 10'000);
    CHECK(kept.front().text == "11999");
    CHECK(kept.back().text == "2000");
    CHECK(journal.entries(1).size() == 1);
}

TEST_CASE("journal files are for their owner alone") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    SqliteJournal journal(folder);
    journal.commit(opening(1));
    struct stat info {};
    for (const char* name : {"/journal.db", "/journal.db-wal", "/journal.db-shm"}) {
        CAPTURE(name);
        REQUIRE(stat((folder + name).c_str(), &info) == 0);
        CHECK((info.st_mode & 07777) == 0600);
    }
    REQUIRE(stat(folder.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0700);
}

TEST_CASE("journal made by root belongs to the owner of its folder") {
    if (geteuid() != 0) {
        WARN("SKIPPED: needs root");
        return;
    }
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    REQUIRE(mkdir(folder.c_str(), 0700) == 0);
    REQUIRE(chown(folder.c_str(), 65534, 65534) == 0);
    SqliteJournal journal(folder);
    journal.commit(opening(1));
    for (const char* name : {"/journal.db", "/journal.db-wal", "/journal.db-shm"}) {
        struct stat info {};
        CAPTURE(name);
        REQUIRE(stat((folder + name).c_str(), &info) == 0);
        CHECK(info.st_uid == 65534);
        CHECK(info.st_gid == 65534);
    }
}

namespace {

/// What takes a journal back to an older version.
const std::string to_version_3 =
    "ALTER TABLE maintenance DROP COLUMN fenced; DROP TABLE kept; DROP TABLE monitor;"
    "DROP INDEX entry_fence;";
const std::string to_version_2 =
    "DROP TABLE hold; DROP INDEX incident_domain; ALTER TABLE incident DROP COLUMN domain;"
    "ALTER TABLE pending DROP COLUMN domain;";

}  // namespace

TEST_CASE("a journal of version 1 is brought to this one, once, and keeps what it has") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string file = folder + "/journal.db";
    {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
    }
    raw_sql(file, to_version_3 + to_version_2 +
                      "DROP TABLE away; DROP TABLE maintenance; DROP TABLE move;"
                      "PRAGMA user_version=1");
    for (int turn = 0; turn < 2; ++turn) {
        SqliteJournal journal(folder);
        CHECK(journal.incidents(9).size() == 1);
        CHECK(journal.maintenance().empty());
        CHECK(journal.progress().empty());
        CHECK(journal.holds().empty());
    }
    CHECK(raw_sql(file, "PRAGMA user_version") == "4");
}

TEST_CASE("a journal of version 2 is brought to this one, and keeps what it has") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string file = folder + "/journal.db";
    {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        Maintenance order;
        order.host = "xen1";
        journal.order_maintenance(order);
    }
    raw_sql(file, to_version_3 + to_version_2 + "PRAGMA user_version=2");
    SqliteJournal journal(folder);
    REQUIRE(journal.incidents(9).size() == 1);
    CHECK(journal.incidents(9)[0].domain.empty());
    CHECK(journal.maintenance().size() == 1);
    HostEvent event;
    event.domain = "web1";
    event.state = HostState::DomainFailed;
    journal.push_event(event, noon);
    CHECK(journal.pending_events().at(0).domain == "web1");
    CHECK(raw_sql(file, "PRAGMA user_version") == "4");
}

TEST_CASE("a journal of version 3 is brought to this one, and keeps what it has") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string file = folder + "/journal.db";
    {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        Maintenance order;
        order.host = "xen1";
        journal.order_maintenance(order);
    }
    raw_sql(file, to_version_3 + "PRAGMA user_version=3");
    SqliteJournal journal(folder);
    REQUIRE(journal.maintenance().size() == 1);
    CHECK_FALSE(journal.maintenance()[0].fenced);
    CHECK_FALSE(journal.monitor_since());
    CHECK(journal.kept_definitions(1).empty());
    CHECK(raw_sql(file, "PRAGMA user_version") == "4");
}

TEST_CASE("what was tried with a domain is found, and that of others is not") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    JournalBatch batch;
    for (IncidentId id : {1, 2, 3}) {
        Incident incident;
        incident.id = id;
        incident.host = "xen1";
        // The first is the recovery of a host, in which the domain was started too.
        if (id > 1) incident.domain = id == 2 ? "web1" : "web2";
        batch.opened.push_back(incident);
        for (int hour : {1, 2, 3})
            batch.entries.push_back({id, noon + std::chrono::hours(hour), EntryKind::Intent,
                                     StepKind::Start, "xen1", id == 3 ? "web2" : "web1", "xen1",
                                     true, "start it again"});
    }
    journal.commit(batch);
    const auto found = journal.domain_entries("web1", noon + std::chrono::hours(2));
    REQUIRE(found.size() == 2);
    CHECK(found[0].incident == 2);
    CHECK(found[0].at == noon + std::chrono::hours(2));
    CHECK(found[1].step == StepKind::Start);
    CHECK(journal.domain_entries("", noon).empty());
    CHECK(journal.incident(2)->domain == "web1");
}

TEST_CASE("holds are kept, replaced and ended") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    {
        SqliteJournal journal(folder);
        journal.set_hold({"web1", std::nullopt, "alice", "new kernel", noon});
        journal.set_hold({"db1", noon + std::chrono::hours(2), "bob", "", noon});
        journal.set_hold({"web1", std::nullopt, "carol", "", noon});
    }
    SqliteJournal journal(folder);
    const auto holds = journal.holds();
    REQUIRE(holds.size() == 2);
    CHECK(holds[0].domain == "db1");
    CHECK(holds[0].until == noon + std::chrono::hours(2));
    CHECK(holds[1].who == "carol");
    CHECK(holds[1].reason.empty());
    CHECK_FALSE(holds[1].until);
    CHECK(journal.end_hold("web1"));
    CHECK_FALSE(journal.end_hold("web1"));
    CHECK(journal.holds().size() == 1);
}

TEST_CASE("journal says why it can't be opened") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string file = folder + "/journal.db";
    std::filesystem::create_directory(folder);

    SECTION("a newer version") {
        { SqliteJournal journal(folder); }
        raw_sql(file, "PRAGMA user_version=5");
        CHECK(open_error(folder) ==
              file +
                  " is of version 5, this program knows 4: use the domkeeper that wrote it or a "
                  "newer one");
        CHECK(raw_sql(file, "SELECT count(*) FROM incident") == "0");
    }
    SECTION("another program's database") {
        raw_sql(file, "CREATE TABLE t(x)");
        CHECK(open_error(folder) == "journal " + file + " was not made by domkeeper");
        raw_sql(file, "PRAGMA user_version=1");
        CHECK(open_error(folder) == "journal " + file + " was not made by domkeeper");
    }
    SECTION("no database at all") {
        scratch.write("state/journal.db", std::string(5000, 'x'));
        CHECK_THAT(open_error(folder), Contains("is damaged: file is not a database; make sure"));
    }
    SECTION("a damaged page") {
        {
            SqliteJournal journal(folder);
            journal.commit(opening(1));
        }
        raw_sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");
        std::string bytes = scratch.read("state/journal.db");
        REQUIRE(bytes.size() > 8192);
        std::fill(bytes.begin() + 4096, bytes.end(), '\xAA');
        scratch.write("state/journal.db", bytes);
        CHECK_THAT(system_error_of([&] {
                       SqliteJournal journal(folder);
                       journal.incidents(1);
                   }),
                   Contains("is damaged: database disk image is malformed; make sure"));
    }
    SECTION("a word that no version writes") {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        raw_sql(file, "UPDATE incident SET state='gone'");
        CHECK_THAT(system_error_of([&] { journal.incidents(1); }),
                   Contains("is damaged: unknown word \"gone\""));
    }
    SECTION("a directory in its place") {
        std::filesystem::create_directory(file);
        CHECK(open_error(folder) == "journal " + file + " is a directory; move it away");
    }
    SECTION("a fifo in its place") {
        REQUIRE(mkfifo(file.c_str(), 0600) == 0);
        CHECK(open_error(folder) == "journal " + file + " is no regular file; move it away");
    }
    SECTION("a file that everybody may write") {
        { SqliteJournal journal(folder); }
        REQUIRE(chmod(file.c_str(), 0602) == 0);
        CHECK_THAT(open_error(folder), Contains("can be written by everybody"));
    }
    SECTION("a folder that everybody may write") {
        REQUIRE(chmod(folder.c_str(), 01777) == 0);
        CHECK_THAT(open_error(folder), Contains("everybody may write to folder"));
    }
    SECTION("no folder above") {
        CHECK_THAT(open_error(folder + "/a/b"),
                   Contains("can't be used or made: No such file or directory; make it"));
    }
    SECTION("a file for a folder") {
        scratch.write("file", "");
        CHECK_THAT(open_error(scratch.path("file")), Contains("Not a directory"));
    }
    SECTION("a file that may only be read") {
        { SqliteJournal journal(folder); }
        REQUIRE(chmod(file.c_str(), 0444) == 0);
        for (const std::string& each : {folder, scratch.path("")})
            REQUIRE(chmod(each.c_str(), 0755) == 0);
        as_nobody([&] {
            CHECK(open_error(folder) == "journal " + file +
                                            " can't be read and written by this user: "
                                            "Permission denied; run as the monitor's user");
        });
    }
    SECTION("a folder that may not be entered") {
        REQUIRE(chmod(scratch.path("").c_str(), 0755) == 0);
        REQUIRE(chmod(folder.c_str(), 0) == 0);
        as_nobody([&] {
            CHECK_THAT(open_error(folder), EndsWith("can't be opened: Permission denied"));
        });
        REQUIRE(chmod(folder.c_str(), 0700) == 0);
    }
}

TEST_CASE("journal on a full disk refuses with nothing done") {
    const Scratch scratch;
    const std::string folder = scratch.path("small");
    std::filesystem::create_directory(folder);
    const std::string said = on_small_disk(folder, 600, [&] {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        std::size_t good = 0;
        const std::string error = system_error_of([&] {
            for (; good < 10'000; ++good) journal.push_event(event(std::string(1000, 'x')), at(0));
        });
        // What was promised is there, and reading goes on.
        const bool whole = journal.pending_events().size() == good && good > 10;
        SqliteJournal second(folder);
        const bool again = second.pending_events().size() == good;
        return error + (whole && again ? " / whole" : " / torn");
    });
    if (said == "SKIPPED") {
        WARN("SKIPPED: needs a mount namespace");
        return;
    }
    CHECK(said == "journal " + folder +
                      "/journal.db can't be written: no space left; nothing was done / whole");
}

TEST_CASE("journal can't be made on a full disk, and says so") {
    const Scratch scratch;
    const std::string folder = scratch.path("small");
    std::filesystem::create_directory(folder);
    for (const int kilobytes : {4, 8, 16, 32, 48}) {
        CAPTURE(kilobytes);
        const std::string said =
            on_small_disk(folder, kilobytes, [&] { return open_error(folder); });
        if (said == "SKIPPED") {
            WARN("SKIPPED: needs a mount namespace");
            return;
        }
        CHECK_THAT(said, Contains("no space left; nothing was done"));
    }
}
