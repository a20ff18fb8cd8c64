// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_output = 64 * 1024;

[[noreturn]] void fail(const std::string& what, int cause) {
    throw SystemError(what + ": " + std::strerror(cause));
}

struct FreeActions {
    void operator()(posix_spawn_file_actions_t* actions) const {
        posix_spawn_file_actions_destroy(actions);
    }
};
struct FreeAttributes {
    void operator()(posix_spawnattr_t* attributes) const { posix_spawnattr_destroy(attributes); }
};

/// A file in memory as stdin: nothing to feed, so a child that never reads can't hold us.
UniqueFd input_file(const std::string& input) {
    UniqueFd fd(memfd_create("input", MFD_CLOEXEC));
    if (!fd) fail("can't make a file in memory", errno);
    std::size_t done = 0;
    while (done < input.size()) {
        const ssize_t put = write(fd.get(), input.data() + done, input.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) fail("can't write a file in memory", errno);
        done += static_cast<std::size_t>(put);
    }
    if (lseek(fd.get(), 0, SEEK_SET) < 0) fail("can't rewind a file in memory", errno);
    return fd;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// Reads what is there; false at the end of the stream.
bool drain(int fd, std::string& output) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EAGAIN;
        if (got == 0) return false;
        const std::size_t room = most_output - output.size();
        output.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    }
}

pid_t spawn_child(const Command& command, int input, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::unique_ptr<posix_spawn_file_actions_t, FreeActions> actions_guard(&actions);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    const std::unique_ptr<posix_spawnattr_t, FreeAttributes> attributes_guard(&attributes);

    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int bad = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (bad == 0) bad = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (bad == 0) bad = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (bad == 0) bad = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (bad == 0) bad = posix_spawnattr_setsigmask(&attributes, &none);
    if (bad == 0) bad = posix_spawnattr_setsigdefault(&attributes, &all);
    if (bad == 0) bad = posix_spawnattr_setpgroup(&attributes, 0);
    if (bad == 0)
        bad = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> argv = command.argv;
    std::vector<std::string> environment = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
    environment.insert(environment.end(), command.environment.begin(), command.environment.end());
    pid_t pid = -1;
    if (bad == 0)
        bad = posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, pointers(argv).data(),
                          pointers(environment).data());
    if (bad != 0) fail("can't run " + printable(command.argv[0]), bad);
    return pid;
}

}  // namespace

CommandResult run_command(const Command& command, Deadline deadline) {
    if (command.argv.empty() || command.argv[0].empty()) throw UsageError("empty command");
    const UniqueFd input = input_file(command.input);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) fail("can't make a pipe", errno);
    UniqueFd output(ends[0]);
    UniqueFd child_output(ends[1]);
    // Only our end may be non-blocking: many programs can't cope with a stdout that is.
    if (fcntl(child_output.get(), F_SETFL, O_WRONLY) != 0) fail("can't set up a pipe", errno);
    const pid_t pid = spawn_child(command, input.get(), child_output.get());
    child_output.reset();

    CommandResult result;
    // Not by pidfd_open(3): the header of glibc 2.36 can not be used from C++.
    const UniqueFd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    const int no_pidfd = ended ? 0 : errno;
    bool open = true;
    while (ended) {
        const Instant now = real_now().mono;
        if (deadline.passed(now)) {
            result.timed_out = true;
            break;
        }
        std::array<pollfd, 2> fds{{{ended.get(), POLLIN, 0}, {output.get(), POLLIN, 0}}};
        const auto wait =
            std::min<Duration>(deadline.remaining(now) + Duration{1}, Duration{60'000});
        poll(fds.data(), open ? 2 : 1, static_cast<int>(wait.count()));
        if (open && fds[1].revents != 0) open = drain(output.get(), result.output);
        if (fds[0].revents != 0) break;
    }
    // Also what it left running in its group goes; the group is still ours, since its leader has
    // not been waited for.
    kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (!ended) fail("can't watch a child process", no_pidfd);
    if (open) drain(output.get(), result.output);
    if (!result.timed_out && WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

}  // namespace domkeeper
