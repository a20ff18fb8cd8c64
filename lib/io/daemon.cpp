// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr int announce_fd = 3;
constexpr std::size_t longest_line = 1024;

void default_signals() {
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
    // The announcement goes to a pipe that nobody may read any more.
    signal(SIGPIPE, SIG_IGN);
    // The session has no terminal, but a caller's shell may still send one to the family.
    signal(SIGHUP, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Leaves the caller's session, files and folder; the pipe becomes fd 3.
void settle(int pipe_end, const std::string& log_file) {
    setsid();
    default_signals();
    umask(027);
    if (chdir("/") != 0) _exit(1);
    const int nothing = open("/dev/null", O_RDWR | O_NOCTTY);
    int log = -1;
    if (!log_file.empty())
        log = open(log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NOFOLLOW, 0640);
    if (nothing < 0) _exit(1);
    // Out of the way of 0..3 first, so that no dup2 below overwrites a source of the next.
    const int pipe_copy = fcntl(pipe_end, F_DUPFD, 10);
    const int null_copy = fcntl(nothing, F_DUPFD, 10);
    const int log_copy = log >= 0 ? fcntl(log, F_DUPFD, 10) : null_copy;
    if (pipe_copy < 0 || null_copy < 0 || log_copy < 0) _exit(1);
    if (dup2(null_copy, 0) < 0 || dup2(log_copy, 1) < 0 || dup2(log_copy, 2) < 0 ||
        dup2(pipe_copy, announce_fd) < 0)
        _exit(1);
    close_range(announce_fd + 1, ~0U, 0);
    fcntl(announce_fd, F_SETFD, FD_CLOEXEC);
    fcntl(announce_fd, F_SETFL, O_WRONLY | O_NONBLOCK);
}

int run_worker(const std::function<int(const Announce&)>& body) {
    const auto pipe_end = std::make_shared<UniqueFd>(announce_fd);
    const Announce announce = [pipe_end](const std::string& line) {
        if (!*pipe_end) return;
        const std::string text = printable(line, longest_line) + "\n";
        if (write(pipe_end->get(), text.data(), text.size()) < 0) {
            // Nobody listens any more: the journal tells the same.
        }
        pipe_end->reset();
    };
    try {
        return body(announce);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "domkeeper: worker: %s\n", printable(error.what(), 1024).c_str());
        return 1;
    }
}

[[noreturn]] void supervise(const std::function<int(const Announce&)>& body,
                            const DaemonOptions& options) {
    Duration pause = options.back_off;
    for (int life = 0;; ++life) {
        const pid_t worker = fork();
        if (worker == 0) {
            const int code = run_worker(body);
            std::fflush(nullptr);
            _exit(code);
        }
        int status = 0;
        if (worker > 0)
            while (waitpid(worker, &status, 0) < 0 && errno == EINTR) continue;
        if (worker > 0 && !WIFSIGNALED(status)) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        const int number = worker > 0 ? WTERMSIG(status) : 0;
        // Somebody asked it to end; the next call finishes its work.
        if (number == SIGTERM || number == SIGINT || number == SIGHUP) _exit(128 + number);
        if (life >= options.restarts) _exit(worker > 0 ? 128 + number : 1);
        std::this_thread::sleep_for(pause);
        pause *= 2;
    }
}

/// One line from the pipe, by the deadline. `ended` tells that all writers are gone.
std::string read_line(int fd, Deadline deadline, bool& ended) {
    std::string line;
    while (line.size() < longest_line + 8) {
        const Instant now = real_now().mono;
        if (deadline.passed(now)) break;
        pollfd wait{fd, POLLIN, 0};
        const auto span =
            std::min<Duration>(deadline.remaining(now) + Duration{1}, Duration{60'000});
        if (poll(&wait, 1, static_cast<int>(span.count())) <= 0) continue;
        std::array<char, 512> buffer;
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) {
            ended = true;
            break;
        }
        line.append(buffer.data(), static_cast<std::size_t>(got));
        if (line.find('\n') != std::string::npos) break;
    }
    const std::size_t end = line.find('\n');
    return end == std::string::npos ? std::string() : line.substr(0, end);
}

}  // namespace

DaemonStart start_daemon(const std::function<int(const Announce&)>& body,
                         const DaemonOptions& options, Deadline deadline) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw SystemError(std::string("can't make a pipe: ") + std::strerror(errno));
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    // What stdio still holds would come out once a process.
    std::fflush(nullptr);
    const pid_t supervisor = fork();
    if (supervisor < 0) throw SystemError(std::string("can't fork: ") + std::strerror(errno));
    if (supervisor == 0) {
        settle(theirs.release(), options.log_file);
        supervise(body, options);
    }
    theirs.reset();
    DaemonStart start;
    start.supervisor = supervisor;
    start.line = read_line(ours.get(), deadline, start.ended);
    return start;
}

}  // namespace domkeeper
