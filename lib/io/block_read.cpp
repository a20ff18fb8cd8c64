// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/block_read.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t block_size = 4096;

/// What the child says of each read.
struct Report {
    long long microseconds;
    int error;
};

long long now_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

/// Another thread may have held any lock at the fork: only calls that are safe after it.
[[noreturn]] void child(const char* path, std::size_t samples, void* buffer, int out) {
    // Who reads our output to its end (NRPE, sshd) must not wait for a child that is left behind.
    const unsigned keep = static_cast<unsigned>(out);
    if (keep > 0) close_range(0, keep - 1, 0);
    close_range(keep + 1, ~0U, 0);
    const int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    Report report{0, fd < 0 ? errno : 0};
    if (fd < 0) {
        static_cast<void>(!write(out, &report, sizeof report));
        _exit(1);
    }
    const off_t size = lseek(fd, 0, SEEK_END);
    const off_t blocks = size / static_cast<off_t>(block_size);
    if (blocks <= 0) {
        report.error = size < 0 ? errno : ENODATA;
        static_cast<void>(!write(out, &report, sizeof report));
        _exit(1);
    }
    for (std::size_t i = 0; i < samples; ++i) {
        // The first, the last, and some between.
        const off_t last = blocks - 1;
        const off_t block = i == 0 ? 0 : i == 1 ? last : now_us() * 7919 % blocks;
        const long long start = now_us();
        const ssize_t got = pread(fd, buffer, block_size, block * static_cast<off_t>(block_size));
        report.microseconds = now_us() - start;
        report.error = got < 0 ? errno : got < static_cast<ssize_t>(block_size) ? EIO : 0;
        if (write(out, &report, sizeof report) != sizeof report) _exit(1);
    }
    _exit(0);
}

struct Child {
    pid_t pid = -1;
    UniqueFd out;
};

Child start(const std::string& path, std::size_t samples, void* buffer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        throw SystemError(std::string("pipe: ") + std::strerror(errno));
    Child out;
    out.out = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    out.pid = fork();
    if (out.pid < 0) throw SystemError(std::string("fork: ") + std::strerror(errno));
    if (out.pid == 0) child(path.c_str(), samples, buffer, theirs.get());
    return out;
}

/// False when nothing more will come.
bool take_report(const Child& one, BlockRead& into) {
    Report report{};
    const ssize_t got = read(one.out.get(), &report, sizeof report);
    if (got < 0 && errno == EINTR) return true;
    if (got != static_cast<ssize_t>(sizeof report)) return false;
    if (report.error == 0)
        into.latencies.emplace_back(report.microseconds);
    else if (into.error == 0)
        into.error = report.error;
    return true;
}

}  // namespace

std::vector<BlockRead> read_blocks(const std::vector<std::string>& paths, std::size_t samples,
                                   Deadline deadline) {
    // Shared by no two processes: each child has a copy of its own.
    std::vector<unsigned char> space(block_size * 2);
    void* buffer = space.data();
    std::size_t room = space.size();
    buffer = std::align(block_size, block_size, buffer, room);
    std::vector<BlockRead> out(paths.size());
    std::vector<Child> children;
    for (const std::string& path : paths) children.push_back(start(path, samples, buffer));
    std::vector<bool> open(paths.size(), true);
    for (;;) {
        std::vector<pollfd> waits;
        std::vector<std::size_t> whose;
        for (std::size_t i = 0; i < children.size(); ++i)
            if (open[i]) {
                waits.push_back({children[i].out.get(), POLLIN, 0});
                whose.push_back(i);
            }
        const auto left = deadline.remaining(mono_now()).count();
        if (waits.empty() || left <= 0) break;
        if (poll(waits.data(), waits.size(), static_cast<int>(std::min<long>(left, 60'000))) < 0)
            continue;
        for (std::size_t i = 0; i < waits.size(); ++i)
            if (waits[i].revents != 0)
                open[whose[i]] = take_report(children[whose[i]], out[whose[i]]);
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
        out[i].hung = open[i];
        // One that the kernel holds dies when it is let go; nobody waits for that.
        kill(children[i].pid, SIGKILL);
        waitpid(children[i].pid, nullptr, open[i] ? WNOHANG : 0);
    }
    return out;
}

}  // namespace domkeeper
