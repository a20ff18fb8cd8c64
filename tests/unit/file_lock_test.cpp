// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/file_lock.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "lib/core/error.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;

TEST_CASE("file lock: one holder at a time, seen by others") {
    const test::Scratch scratch;
    const std::string path = worker_lock_path(scratch.path("."));
    CHECK_FALSE(is_lock_held(path));
    CHECK_FALSE(std::filesystem::exists(path));  // asking creates nothing
    FileLock first(path);
    FileLock second(path);
    REQUIRE(first.try_acquire());
    CHECK(first.try_acquire());  // it is ours already
    CHECK(is_lock_held(path));
    CHECK_FALSE(second.try_acquire());
    first.release();
    CHECK_FALSE(is_lock_held(path));
    CHECK(second.try_acquire());
    CHECK_FALSE(first.try_acquire());
}

TEST_CASE("file lock: a killed holder frees it") {
    const test::Scratch scratch;
    const std::string path = scratch.path("worker.lock");
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
        FileLock lock(path);
        const char ok = lock.try_acquire() ? 'y' : 'n';
        if (write(ready[1], &ok, 1) == 1) pause();
        _exit(0);
    }
    char said = 0;
    REQUIRE(read(ready[0], &said, 1) == 1);
    CHECK(said == 'y');
    FileLock mine(path);
    CHECK(is_lock_held(path));
    CHECK_FALSE(mine.try_acquire());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    CHECK_FALSE(is_lock_held(path));
    CHECK(mine.try_acquire());
}

TEST_CASE("file lock: what can't be locked says why") {
    const test::Scratch scratch;
    FileLock nowhere(scratch.path("missing/worker.lock"));
    CHECK_THROWS_AS(nowhere.try_acquire(), SystemError);
    CHECK_FALSE(is_lock_held(scratch.path("missing/worker.lock")));
    // A link could point the lock at somebody else's file.
    std::filesystem::create_symlink(scratch.write("other", ""), scratch.path("link"));
    FileLock link(scratch.path("link"));
    CHECK_THROWS_AS(link.try_acquire(), SystemError);
}

TEST_CASE("file lock: the lock file may be removed under it") {
    const test::Scratch scratch;
    const std::string path = scratch.path("worker.lock");
    FileLock first(path);
    REQUIRE(first.try_acquire());
    std::filesystem::remove(path);
    FileLock second(path);
    CHECK(second.try_acquire());  // a new file: the old one excludes nobody any more
    CHECK(is_lock_held(path));
}
