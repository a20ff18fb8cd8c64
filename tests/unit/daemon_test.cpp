// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/daemon.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <stdexcept>

#include "lib/io/real_scheduler.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using std::chrono::milliseconds;

namespace {

Deadline in_ms(int ms) {
    return Deadline{real_now().mono + milliseconds(ms)};
}

/// The daemon's exit code, -1 when it was killed or is still there after 5 s.
int exit_code(pid_t supervisor) {
    for (int i = 0; i < 500; ++i) {
        int status = 0;
        if (waitpid(supervisor, &status, WNOHANG) == supervisor)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        usleep(10'000);
    }
    kill(supervisor, SIGKILL);
    waitpid(supervisor, nullptr, 0);
    return -1;
}

void append(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
}

std::size_t size_of(const test::Scratch& scratch, const std::string& name) {
    return scratch.read(name).size();
}

}  // namespace

TEST_CASE("daemon: announces one line and goes on in a session of its own") {
    const test::Scratch scratch;
    const std::string out = scratch.path("out");
    const pid_t session = getsid(0);
    const Instant start = real_now().mono;
    const DaemonStart daemon = start_daemon(
        [&](const Announce& announce) {
            announce("accepted\nincident 4");
            announce("never seen");
            usleep(100'000);
            append(out, getsid(0) != session && getsid(0) == getppid() ? "own" : "shared");
            return 3;
        },
        {}, in_ms(400));
    CHECK(daemon.line == "accepted?incident 4");
    CHECK_FALSE(daemon.ended);
    CHECK(real_now().mono - start < milliseconds(90));
    CHECK(exit_code(daemon.supervisor) == 3);
    CHECK(scratch.read("out") == "own");
}

TEST_CASE("daemon: a silent worker costs the caller its deadline, an ended one less") {
    const Instant start = real_now().mono;
    const DaemonStart silent = start_daemon(
        [](const Announce&) {
            usleep(300'000);
            return 0;
        },
        {}, in_ms(100));
    CHECK(silent.line.empty());
    CHECK_FALSE(silent.ended);
    const auto took = real_now().mono - start;
    CHECK(took >= milliseconds(100));
    CHECK(took < milliseconds(250));
    const DaemonStart ended = start_daemon(
        [](const Announce&) -> int { throw std::runtime_error("no"); }, {}, in_ms(4000));
    CHECK(ended.ended);
    CHECK(exit_code(ended.supervisor) == 1);
    CHECK(exit_code(silent.supervisor) == 0);
}

TEST_CASE("daemon: a killed worker is started again, a bounded number of times") {
    const test::Scratch scratch;
    const std::string lives = scratch.path("lives");
    DaemonOptions options;
    options.back_off = milliseconds(5);
    options.restarts = 3;
    const DaemonStart always = start_daemon(
        [&](const Announce&) -> int {
            append(lives, "x");
            kill(getpid(), SIGKILL);
            return 0;
        },
        options, in_ms(0));
    CHECK(exit_code(always.supervisor) == 128 + SIGKILL);
    CHECK(size_of(scratch, "lives") == 4);

    const DaemonStart once = start_daemon(
        [&](const Announce& announce) -> int {
            append(lives, "y");
            if (size_of(scratch, "lives") < 6) kill(getpid(), SIGKILL);
            announce("second life");
            return 0;
        },
        options, in_ms(2000));
    CHECK(once.line == "second life");
    CHECK(exit_code(once.supervisor) == 0);
    CHECK(size_of(scratch, "lives") == 6);

    const DaemonStart asked = start_daemon(
        [&](const Announce&) -> int {
            append(lives, "z");
            kill(getpid(), SIGTERM);
            return 0;
        },
        options, in_ms(0));
    CHECK(exit_code(asked.supervisor) == 128 + SIGTERM);
    CHECK(size_of(scratch, "lives") == 7);
}

TEST_CASE("daemon: holds none of the caller's files, and logs where it is told") {
    const test::Scratch scratch;
    int ends[2];
    REQUIRE(pipe(ends) == 0);  // without close-on-exec, as a monitor's pipe
    DaemonOptions options;
    options.log_file = scratch.path("log");
    const DaemonStart daemon = start_daemon(
        [](const Announce& announce) {
            std::fprintf(stderr, "to the log\n");
            announce("up");
            usleep(200'000);
            return 0;
        },
        options, in_ms(2000));
    CHECK(daemon.line == "up");
    close(ends[1]);
    const Instant start = real_now().mono;
    char byte = 0;
    CHECK(read(ends[0], &byte, 1) == 0);  // the end of the stream, while the daemon lives
    CHECK(real_now().mono - start < milliseconds(150));
    close(ends[0]);
    CHECK(exit_code(daemon.supervisor) == 0);
    CHECK(scratch.read("log") == "to the log\n");
}
