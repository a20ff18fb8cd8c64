// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/subprocess.hpp"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "lib/core/error.hpp"
#include "lib/io/command_notifier.hpp"
#include "lib/io/real_scheduler.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using std::chrono::milliseconds;

namespace {

CommandResult shell(const std::string& script, const std::string& input = "", int ms = 5000) {
    return run_command({{"/bin/sh", "-c", script}, input, {}},
                       Deadline{real_now().mono + milliseconds(ms)});
}

}  // namespace

TEST_CASE("subprocess: input, output and exit code") {
    const CommandResult result = shell("cat; echo err >&2; exit 7", "hello\n");
    CHECK(result.output == "hello\nerr\n");
    CHECK(result.exit_code == 7);
    CHECK_FALSE(result.timed_out);
    CHECK(shell("kill -TERM $$").signal == SIGTERM);
    CHECK(shell("cat /dev/stdin", "again").output == "again");
    CHECK(shell("head -c 300000 /dev/zero").output.size() == 64 * 1024);
    // A child that never reads its input holds nobody.
    CHECK(shell("exit 0", std::string(1'000'000, 'x')).exit_code == 0);
}

TEST_CASE("subprocess: ends by the deadline, with all its family") {
    const Instant start = real_now().mono;
    const CommandResult result = shell("sleep 47 & echo $!; trap '' TERM; wait", "", 150);
    CHECK(result.timed_out);
    CHECK(result.exit_code == -1);
    CHECK(real_now().mono - start < milliseconds(2000));
    const pid_t grandchild = std::stoi(result.output);
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
        // A killed orphan may stay a zombie where nobody reaps; its state says so.
        const std::string state = shell("ps -o stat= -p " + std::to_string(grandchild)).output;
        gone = state.empty() || state[0] == 'Z';
        usleep(10'000);
    }
    CHECK(gone);
}

TEST_CASE("subprocess: a child that left others with its output open ends at once") {
    const Instant start = real_now().mono;
    CHECK(shell("sleep 20 & echo done").output == "done\n");
    CHECK(real_now().mono - start < milliseconds(3000));
}

TEST_CASE("subprocess: a clean world for the child") {
    CHECK(shell("ls /proc/self/fd | wc -l").output == "4\n");  // 0, 1, 2 and that of ls
    setenv("DOMKEEPER_TEST_SECRET", "hunter2", 1);
    CHECK(shell("env").output.find("hunter2") == std::string::npos);
    unsetenv("DOMKEEPER_TEST_SECRET");
}

TEST_CASE("subprocess: what can't be started says so") {
    CHECK_THROWS_AS(run_command({}, Deadline{real_now().mono}), UsageError);
    CHECK_THROWS_AS(run_command({{"/nonexistent/x"}, "", {}}, Deadline{real_now().mono}),
                    SystemError);
}

TEST_CASE("notifier: texts reach the command in order, and nothing waits for it") {
    const test::Scratch scratch;
    const Instant start = real_now().mono;
    {
        CommandNotifier notifier(
            "unit_test", {"/bin/sh", "-c", "sleep 0.05; cat >> \"$0\"", scratch.path("out")});
        for (int i = 0; i < 5; ++i) notifier.notify("text " + std::to_string(i));
        CHECK(real_now().mono - start < milliseconds(40));
    }
    CHECK(scratch.read("out") == "text 0\ntext 1\ntext 2\ntext 3\ntext 4\n");
}

TEST_CASE("notifier: a command that hangs or fails costs its limit and no more") {
    const Instant start = real_now().mono;
    {
        CommandNotifier hangs("unit_test", {"/bin/sleep", "30"}, milliseconds(100));
        for (int i = 0; i < 200; ++i) hangs.notify("x");  // more than may wait
        CommandNotifier missing("unit_test", {"/nonexistent/x"});
        missing.notify("x");
        CommandNotifier none("unit_test", {});
        none.notify("x");
    }
    CHECK(real_now().mono - start < milliseconds(2000));
}
