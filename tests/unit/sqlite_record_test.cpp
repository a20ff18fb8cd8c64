// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sqlite_record.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "lib/core/error.hpp"
#include "tests/unit/scratch.hpp"
#include "tests/unit/sqlite_probe.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

TimePoint at(int seconds) {
    return TimePoint{1'790'000'000s + std::chrono::seconds(seconds)};
}

HostRecord host(const std::string& name, int seen) {
    return {name, at(seen), gibibytes(8), gibibytes(3), "QEMU 7.2.22"};
}

DomainRecord domain(const std::string& name, const std::string& on, int seen,
                    const std::string& xml = "<domain/>") {
    return {name, "uuid-" + name, on, DomainState::Running, mebibytes(512), 2, true, at(seen), xml};
}

const DomainRecord& find(const ClusterRecord& record, const std::string& name) {
    const DomainRecord* found = record.find_domain(name);
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("record gives back what was written, also after it was closed") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string xml = "<domain>\n  <name>w&amp;b</name>\n</domain>\n";
    {
        SqliteRecord store(folder);
        CHECK(store.read().hosts.empty());
        store.write_host(host("xen1", 10), {domain("web1", "xen1", 10, xml)});
        HostRecord second = host("xen2", 11);
        second.memory_free = std::nullopt;
        store.write_host(second, {});
    }
    SqliteRecord store(folder);
    const ClusterRecord record = store.read();
    REQUIRE(record.hosts.size() == 2);
    const HostRecord& xen1 = *record.find_host("xen1");
    CHECK(xen1.seen == at(10));
    CHECK(xen1.memory_total == gibibytes(8));
    CHECK(xen1.memory_free == gibibytes(3));
    CHECK(xen1.hypervisor == "QEMU 7.2.22");
    CHECK_FALSE(record.find_host("xen2")->memory_free);
    REQUIRE(record.domains.size() == 1);
    const DomainRecord& web1 = find(record, "web1");
    CHECK(web1.uuid == "uuid-web1");
    CHECK(web1.host == "xen1");
    CHECK(web1.state == DomainState::Running);
    CHECK(web1.memory == mebibytes(512));
    CHECK(web1.vcpus == 2);
    CHECK(web1.persistent);
    CHECK(web1.seen == at(10));
    CHECK(web1.xml == xml);
}

TEST_CASE("record follows domains") {
    const Scratch scratch;
    SqliteRecord store(scratch.path("state"));
    store.write_host(host("a", 10), {domain("web", "a", 10), domain("db", "a", 10)});

    SECTION("one that stopped is marked and keeps its definition and its time") {
        store.write_host(host("a", 20), {domain("db", "a", 20)});
        const auto record = store.read();
        CHECK(find(record, "web").state == DomainState::ShutOff);
        CHECK(find(record, "web").seen == at(10));
        CHECK(find(record, "web").xml == "<domain/>");
        CHECK(find(record, "db").state == DomainState::Running);
        CHECK(find(record, "db").seen == at(20));
    }
    SECTION("one that moved is where it was seen last") {
        store.write_host(host("b", 20), {domain("web", "b", 20)});
        CHECK(find(store.read(), "web").host == "b");
        // Its old host does not have it any more, which says nothing about it.
        store.write_host(host("a", 21), {domain("db", "a", 21)});
        CHECK(find(store.read(), "web").host == "b");
        CHECK(find(store.read(), "web").state == DomainState::Running);
    }
    SECTION("one on its way is on both hosts; in the end it is on its new one") {
        store.write_host(host("b", 20), {domain("web", "b", 20)});
        store.write_host(host("a", 21), {domain("web", "a", 21), domain("db", "a", 21)});
        CHECK(find(store.read(), "web").host == "a");
        store.write_host(host("a", 22), {domain("db", "a", 22)});
        store.write_host(host("b", 22), {domain("web", "b", 22)});
        CHECK(find(store.read(), "web").host == "b");
        CHECK(find(store.read(), "web").state == DomainState::Running);
    }
    SECTION("an older reading changes nothing") {
        store.write_host(host("b", 20), {domain("web", "b", 20)});
        store.write_host(host("a", 15), {domain("web", "a", 15), domain("db", "a", 15)});
        CHECK(find(store.read(), "web").host == "b");
        CHECK(find(store.read(), "db").seen == at(15));
        store.write_host(host("a", 12), {});
        CHECK(store.read().find_host("a")->seen == at(15));
        CHECK(find(store.read(), "db").state == DomainState::Running);
    }
    SECTION("one that was started elsewhere is there at once, also for a reading under way") {
        store.move_domain("web", "b", at(20));
        store.move_domain("nobody", "b", at(20));
        CHECK(store.read().domains.size() == 2);
        CHECK(find(store.read(), "web").host == "b");
        CHECK(find(store.read(), "web").state == DomainState::Running);
        CHECK(find(store.read(), "web").seen == at(20));
        CHECK(find(store.read(), "web").xml == "<domain/>");
        store.write_host(host("b", 19), {});
        CHECK(find(store.read(), "web").state == DomainState::Running);
        store.write_host(host("a", 19), {domain("web", "a", 20), domain("db", "a", 20)});
        CHECK(find(store.read(), "web").host == "b");
        store.move_domain("web", "c", at(15));
        CHECK(find(store.read(), "web").host == "b");
        store.write_host(host("b", 21), {});
        CHECK(find(store.read(), "web").state == DomainState::ShutOff);
        store.move_domain("web", "a", at(22));
        CHECK(find(store.read(), "web").state == DomainState::Running);
    }
    SECTION("a definition that could not be read this time is the last known one") {
        store.write_host(host("a", 20), {domain("web", "a", 20, "")});
        CHECK(find(store.read(), "web").xml == "<domain/>");
    }
    SECTION("a new domain of an old name does not get the old one's definition") {
        DomainRecord fresh = domain("web", "a", 20, "");
        fresh.uuid = "other";
        store.write_host(host("a", 20), {fresh});
        CHECK(find(store.read(), "web").xml.empty());
        fresh.xml = "<other/>";
        fresh.seen = at(21);
        store.write_host(host("a", 21), {fresh});
        CHECK(find(store.read(), "web").xml == "<other/>");
    }
    SECTION("a definition that changed is the new one") {
        store.write_host(host("a", 20), {domain("web", "a", 20, "<domain id='2'/>")});
        CHECK(find(store.read(), "web").xml == "<domain id='2'/>");
    }
    SECTION("one that has been off for a month is forgotten") {
        store.write_host(host("a", 20), {domain("db", "a", 20)});
        const int month = 30 * 86'400;
        store.write_host(host("a", month), {domain("db", "a", month)});
        CHECK(store.read().find_domain("web") != nullptr);
        store.write_host(host("a", month + 11), {domain("db", "a", month + 11)});
        CHECK(store.read().find_domain("web") == nullptr);
        CHECK(store.read().find_domain("db") != nullptr);
    }
}

TEST_CASE("record is refused when others can read it") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const std::string file = folder + "/record.db";
    {
        SqliteRecord store(folder);
        store.write_host(host("a", 1), {});
        struct stat info {};
        for (const char* end : {"", "-wal", "-shm"}) {
            REQUIRE(stat((file + end).c_str(), &info) == 0);
            CHECK((info.st_mode & 07777) == 0600);
        }
    }
    for (const mode_t mode : {0604U, 0602U, 0601U, 0644U}) {
        CAPTURE(mode);
        REQUIRE(chmod(file.c_str(), mode) == 0);
        CHECK(system_error_of([&] { SqliteRecord store(folder); }) ==
              "record " + file + " holds secrets and others can read it: refused; chmod o-rwx it");
    }
    REQUIRE(chmod(file.c_str(), 0640) == 0);
    SqliteRecord store(folder);
    CHECK(store.read().hosts.size() == 1);
}

TEST_CASE("record and journal are not taken for each other") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    { SqliteRecord store(folder); }
    raw_sql(folder + "/record.db", "PRAGMA user_version=7");
    CHECK(system_error_of([&] { SqliteRecord store(folder); }) ==
          folder +
              "/record.db is of version 7, this program knows 2: use the domkeeper that wrote "
              "it or a newer one");
    raw_sql(folder + "/record.db", "PRAGMA user_version=1; PRAGMA application_id=1684761196");
    CHECK(system_error_of([&] { SqliteRecord store(folder); }) ==
          "record " + folder + "/record.db was not made by domkeeper");
}

TEST_CASE("record says that it is damaged and what to do") {
    const Scratch scratch;
    std::filesystem::create_directory(scratch.path("state"));
    scratch.write("state/record.db", std::string(4096, 'x'));
    CHECK(system_error_of([&] { SqliteRecord store(scratch.path("state")); }) ==
          "record " + scratch.path("state") +
              "/record.db is damaged: file is not a database; move it and its -wal file away: "
              "check_cluster fills a new one");
}

TEST_CASE("record on a full disk refuses with nothing done") {
    const Scratch scratch;
    const std::string folder = scratch.path("small");
    std::filesystem::create_directory(folder);
    const std::string said = on_small_disk(folder, 400, [&] {
        SqliteRecord store(folder);
        store.write_host(host("a", 1), {domain("web", "a", 1)});
        const std::string error = system_error_of([&] {
            store.write_host(host("a", 2), {domain("web", "a", 2),
                                            domain("big", "a", 2, std::string(1 << 20, 'x'))});
        });
        const auto record = store.read();
        return error + (record.domains.size() == 1 && record.domains[0].seen == at(1) ? " / whole"
                                                                                      : " / torn");
    });
    if (said == "SKIPPED") {
        WARN("SKIPPED: needs a mount namespace");
        return;
    }
    CHECK(said == "record " + folder +
                      "/record.db can't be written: no space left; nothing was done / whole");
}

TEST_CASE("record is not written again for a definition that stayed") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    SqliteRecord store(folder);
    const std::string xml(200'000, 'x');
    store.write_host(host("a", 1), {domain("web", "a", 1, xml)});
    raw_sql(folder + "/record.db", "PRAGMA wal_checkpoint(TRUNCATE)");
    for (int i = 2; i < 7; ++i) store.write_host(host("a", i), {domain("web", "a", i, xml)});
    CHECK(std::filesystem::file_size(folder + "/record.db-wal") < 100'000);
    CHECK_THAT(store.read().domains[0].xml, Catch::Matchers::Equals(xml));
}
