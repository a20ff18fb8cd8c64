// SPDX-License-Identifier: GPL-3.0-or-later
// One journal and several processes or threads, and what is left when one dies.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "lib/core/error.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "tests/unit/journal_samples.hpp"
#include "tests/unit/scratch.hpp"
#include "tests/unit/sqlite_probe.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

TEST_CASE("journal is durable when a call returns, whatever happens to the process") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    const int status = in_child([&] {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        kill(getpid(), SIGKILL);
    });
    REQUIRE(WIFSIGNALED(status));
    SqliteJournal journal(folder);
    CHECK(journal.unfinished().size() == 1);
    CHECK(journal.entries(1).size() == 1);
}

TEST_CASE("journal serves several processes at once, from its making on") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    std::vector<pid_t> children;
    for (int child = 0; child < 4; ++child) {
        const pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            try {
                for (int i = 0; i < 25; ++i) {
                    SqliteJournal journal(folder);  // as handlers do: one process, one event
                    journal.push_event(event(std::to_string(child * 100 + i)), at(i));
                }
            } catch (const std::exception& e) {
                std::fprintf(stderr, "%s\n", e.what());
                _exit(1);
            }
            _exit(0);
        }
        children.push_back(pid);
    }
    {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        for (int i = 0; i < 50; ++i) journal.append({entry(1, "work")});
        CHECK(journal.entries(1).size() == 51);
    }
    for (const pid_t pid : children) {
        int status = -1;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    SqliteJournal journal(folder);
    const auto waiting = journal.pending_events();
    CHECK(waiting.size() == 100);
    // Each process's own events stay in their order.
    for (int child = 0; child < 4; ++child) {
        int last = -1;
        for (const HostEvent& each : waiting) {
            const int number = std::stoi(each.output);
            if (number / 100 != child) continue;
            CHECK(number > last);
            last = number;
        }
    }
}

TEST_CASE("journal gives up on a lock that stays") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    SqliteJournal journal(folder);
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t holder = fork();
    REQUIRE(holder >= 0);
    if (holder == 0) {
        sqlite3* db = nullptr;
        sqlite3_open((folder + "/journal.db").c_str(), &db);
        sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    const auto start = std::chrono::steady_clock::now();
    CHECK(system_error_of([&] { journal.push_event(event("x"), at(0)); }) ==
          "journal " + folder +
              "/journal.db was locked by another process for 2 s; nothing was done");
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(took > 1s);
    CHECK(took < 5s);
    CHECK(journal.pending_events().empty());  // reading is not held up
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    journal.push_event(event("y"), at(0));
    CHECK(journal.pending_events().size() == 1);
    close(ready[0]);
    close(ready[1]);
}

TEST_CASE("journal may be called from several threads") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    journal.commit(opening(1));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) {
                journal.append({entry(1, "x")});
                journal.entries(1);
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(journal.entries(1).size() == 81);
}

TEST_CASE("journal opens, takes an event and closes within a handler's time") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    { SqliteJournal journal(folder); }
    std::vector<std::chrono::microseconds> took;
    for (int i = 0; i < 21; ++i) {
        const auto start = std::chrono::steady_clock::now();
        {
            SqliteJournal journal(folder);
            journal.push_event(event(std::string(256, 'x')), at(i));
        }
        took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - start));
    }
    std::sort(took.begin(), took.end());
    INFO("median " << took[10].count() << " us, worst " << took.back().count() << " us");
    CHECK(took[10] < 100ms);
}
