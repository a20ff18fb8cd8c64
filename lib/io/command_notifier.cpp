// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/command_notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <exception>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/subprocess.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_waiting = 64;
constexpr std::size_t longest_line = 1024;

/// One datagram to the local syslog in the form of RFC 3164. Not by syslog(3), which may block
/// without bound while the logger is stuck.
void log_line(int priority, const std::string& ident, const std::string& text) {
    const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return;
    std::array<char, 32> stamp{};
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    std::strftime(stamp.data(), stamp.size(), "%b %e %H:%M:%S", &local);
    const std::string line = "<" + std::to_string(LOG_DAEMON | priority) + ">" + stamp.data() +
                             " " + ident + "[" + std::to_string(getpid()) +
                             "]: " + printable(text, longest_line);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/dev/log");
    sendto(fd.get(), line.data(), line.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

CommandNotifier::CommandNotifier(std::string ident, std::vector<std::string> command,
                                 Duration limit)
    : ident_(std::move(ident)), command_(std::move(command)), limit_(limit) {}

CommandNotifier::~CommandNotifier() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        stop_by_ = real_now().mono + limit_;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void CommandNotifier::notify(const std::string& text) {
    try {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= most_waiting) {
            ++dropped_;
            return;
        }
        waiting_.push_back(text);
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    } catch (const std::exception&) {
        // No memory or no thread: what can't be told is lost, the recovery goes on.
        return;
    }
    changed_.notify_all();
}

void CommandNotifier::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty() || (stopping_ && real_now().mono >= stop_by_)) return;
        const std::string text = std::move(waiting_.front());
        waiting_.pop_front();
        const std::size_t dropped = std::exchange(dropped_, 0);
        Deadline deadline{real_now().mono + limit_};
        if (stopping_ && stop_by_ < deadline.at) deadline.at = stop_by_;
        lock.unlock();
        if (dropped > 0)
            log_line(LOG_WARNING, ident_, counted(dropped, "notification") + " dropped");
        hand_out(text, deadline);
        lock.lock();
    }
}

void CommandNotifier::hand_out(const std::string& text, Deadline deadline) {
    log_line(LOG_NOTICE, ident_, text);
    if (command_.empty()) return;
    std::string trouble;
    try {
        const CommandResult result = run_command({command_, text + "\n", {}}, deadline);
        if (result.timed_out)
            trouble = "took too long and was killed";
        else if (result.signal != 0)
            trouble = "was ended by signal " + std::to_string(result.signal);
        else if (result.exit_code != 0)
            trouble = "ended with exit code " + std::to_string(result.exit_code);
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    if (!trouble.empty())
        log_line(LOG_WARNING, ident_, "notify command " + printable(command_[0]) + " " + trouble);
}

}  // namespace domkeeper
