// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/xenstore_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {
namespace {

static_assert(static_cast<int>(XsType::Control) == XS_CONTROL);
static_assert(static_cast<int>(XsType::Directory) == XS_DIRECTORY);
static_assert(static_cast<int>(XsType::Read) == XS_READ);
static_assert(static_cast<int>(XsType::TransactionStart) == XS_TRANSACTION_START);
static_assert(static_cast<int>(XsType::TransactionEnd) == XS_TRANSACTION_END);
static_assert(static_cast<int>(XsType::Write) == XS_WRITE);
static_assert(static_cast<int>(XsType::Remove) == XS_RM);
static_assert(static_cast<int>(XsType::WatchEvent) == XS_WATCH_EVENT);
static_assert(static_cast<int>(XsType::Error) == XS_ERROR);
static_assert(static_cast<int>(XsType::IsIntroduced) == XS_IS_DOMAIN_INTRODUCED);
static_assert(static_cast<int>(XsType::DirectoryPart) == XS_DIRECTORY_PART);
static_assert(xs_payload_max == XENSTORE_PAYLOAD_MAX && xs_path_max == XENSTORE_ABS_PATH_MAX);
static_assert(sizeof(xsd_sockmsg) == 4 * sizeof(std::uint32_t));

constexpr const char* device_path = "/dev/xen/xenbus";
/// Below /tool, where tools keep what is theirs and no domain may look.
constexpr std::string_view own_prefix = "domkeeper-check-";
constexpr std::size_t most_in_flight = 64;
/// Fewer answers than this are waited for one by one.
constexpr std::size_t many_answers = 16;
constexpr std::chrono::microseconds shortest_nap{200};
constexpr std::chrono::microseconds longest_nap{20'000};
constexpr int most_commits = 5;

std::string default_path() {
    // As libxenstore does (libxenstore's xs_daemon_socket); a check takes nothing else from its
    // environment.
    if (const char* path = std::getenv("XENSTORED_PATH")) return path;
    if (const char* folder = std::getenv("XENSTORED_RUNDIR"))
        return std::string(folder) + "/socket";
    const char* const socket = "/run/xenstored/socket";
    return access(socket, F_OK) != 0 && access(device_path, F_OK) == 0 ? device_path : socket;
}

std::string reason(int cause) {
    return std::strerror(cause);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

XenstoreSocket::XenstoreSocket(std::string path)
    : path_(path.empty() ? default_path() : std::move(path)) {}

void XenstoreSocket::wait(short events, Deadline deadline) {
    const Instant start = mono_now();
    for (;;) {
        const Instant now = mono_now();
        if (deadline.passed(now))
            throw TimedOut(late_message("xenstored at " + printable(path_), start));
        pollfd watched{fd_.get(), events, 0};
        const auto span = std::min(deadline.remaining(now) + Duration{1}, Duration{60'000});
        if (poll(&watched, 1, static_cast<int>(span.count())) > 0) return;
    }
}

void XenstoreSocket::connect(Deadline deadline) {
    if (fd_) return;
    const std::string what = "xenstored at " + printable(path_);
    struct stat info {};
    const bool there = stat(path_.c_str(), &info) == 0;
    device_ = there && S_ISCHR(info.st_mode);
    if (device_) {
        fd_.reset(open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
        const int cause = errno;
        if (fd_) return;
        if (cause == EACCES || cause == EPERM) throw Denied(what + ": " + reason(cause));
        throw Unreachable(what + ": " + reason(cause));
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) throw UsageError(what + ": the path is too long");
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw SystemError("can't make a socket: " + reason(errno));
    const Instant start = mono_now();
    while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int cause = errno;
        if (cause == EACCES || cause == EPERM) throw Denied(what + ": " + reason(cause));
        // Its queue is full: it takes no calls, or others are quicker.
        if (cause != EAGAIN && cause != EINTR) throw Unreachable(what + ": " + reason(cause));
        if (deadline.passed(mono_now())) throw TimedOut(late_message(what, start));
        std::this_thread::sleep_for(Duration{5});
    }
    fd_ = std::move(fd);
}

bool XenstoreSocket::send_some(std::string_view& left) {
    // The device takes a write as one message and drops what follows it.
    std::size_t length = left.size();
    if (device_) {
        xsd_sockmsg header{};
        std::memcpy(&header, left.data(), sizeof header);
        length = sizeof header + header.len;
    }
    const ssize_t put = device_ ? write(fd_.get(), left.data(), length)
                                : send(fd_.get(), left.data(), length, MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (put < 0) throw ProtocolError("xenstored at " + printable(path_) + ": " + reason(errno));
    left.remove_prefix(static_cast<std::size_t>(put));
    return true;
}

void XenstoreSocket::receive_some() {
    std::array<char, 16 * 1024> buffer{};
    const ssize_t got = read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) throw ProtocolError("xenstored at " + printable(path_) + ": " + reason(errno));
    if (got == 0) throw ProtocolError("xenstored at " + printable(path_) + " hung up");
    replies_.feed({buffer.data(), static_cast<std::size_t>(got)});
}

std::vector<XsAnswer> XenstoreSocket::ask(const std::vector<XsRequest>& requests,
                                          Deadline deadline) {
    if (requests.empty()) return {};
    connect(deadline);
    std::vector<XsAnswer> answers;
    answers.reserve(requests.size());
    const std::uint32_t first_id = next_id_;
    std::size_t sent = 0;
    std::string out;
    std::string_view left;
    std::chrono::microseconds nap = shortest_nap;
    try {
        while (answers.size() < requests.size()) {
            // In large portions: to wake up for each answer and to send one more costs more, on
            // both sides, than the answer.
            if (left.empty() && sent - answers.size() <= most_in_flight / 2) {
                out.clear();
                while (sent < requests.size() && sent - answers.size() < most_in_flight)
                    out += encode_xs(requests[sent++], next_id_++);
                left = out;
            }
            while (!left.empty() && send_some(left)) {
            }
            const std::size_t outstanding = sent - answers.size();
            const bool many = left.empty() && outstanding >= many_answers;
            if (many && mono_now() + nap < deadline.at) std::this_thread::sleep_for(nap);
            const std::size_t before = answers.size();
            wait(static_cast<short>(left.empty() ? POLLIN : POLLIN | POLLOUT), deadline);
            receive_some();
            while (const auto reply = replies_.next()) {
                const std::size_t index = answers.size();
                if (index == requests.size() || reply->id != first_id + index)
                    throw ProtocolError("xenstored: an answer to something that was not asked");
                answers.push_back(xs_answer(requests[index].type, *reply));
            }
            // The nap finds its length: until about half of the answers are there.
            const std::size_t came = answers.size() - before;
            if (many && came < outstanding / 4) nap = std::min(2 * nap, longest_nap);
            if (many && came > outstanding / 2) nap = std::max(nap / 2, shortest_nap);
        }
    } catch (...) {
        // What still comes belongs to nobody.
        fd_.reset();
        replies_ = {};
        throw;
    }
    return answers;
}

XsAnswer XenstoreSocket::ask_one(const XsRequest& request, Deadline deadline) {
    return ask({request}, deadline).front();
}

std::string XenstoreSocket::must(const XsRequest& request, const std::string& doing,
                                 Deadline deadline) {
    XsAnswer answer = ask_one(request, deadline);
    if (!answer.good()) throw ProtocolError("xenstored: " + doing + ": " + answer.error);
    return std::move(answer.value);
}

void XenstoreSocket::remove_leftovers(const std::string& tools, Deadline deadline) {
    for (const std::string& name : parse_xs_names(tools, xs_payload_max)) {
        if (!starts_with(name, own_prefix)) continue;
        const auto pid = parse_integer(std::string_view(name).substr(own_prefix.size()));
        // Killed in the middle; of a living one nothing is taken away.
        if (pid && (kill(static_cast<pid_t>(*pid), 0) == 0 || errno != ESRCH)) continue;
        XsRequest removal = xs_read("/tool/" + name);
        removal.type = XsType::Remove;
        ask_one(removal, deadline);
    }
}

double XenstoreSocket::time_transaction(const std::string& node, Deadline deadline) {
    const auto start = std::chrono::steady_clock::now();
    for (int attempt = 0; attempt < most_commits; ++attempt) {
        const std::string begun = must({XsType::TransactionStart, std::string(1, '\0')},
                                       "beginning a transaction", deadline);
        const auto id = parse_integer(std::string_view(begun).substr(0, begun.find('\0')));
        if (!id || *id <= 0 || *id > 0xffffffff)
            throw ProtocolError("xenstored: a transaction without a number");
        const auto within = [&](XsRequest request) {
            request.transaction = static_cast<std::uint32_t>(*id);
            return request;
        };
        const auto path = node + std::string(1, '\0');
        must(within(xs_read(node)), "reading in a transaction", deadline);
        must(within({XsType::Write, path + "2"}), "writing in a transaction", deadline);
        const XsAnswer end =
            ask_one(within({XsType::TransactionEnd, std::string("T\0", 2)}), deadline);
        if (end.good()) return seconds_since(start);
        // Somebody else changed the same part of the tree: the protocol says to try again.
        if (end.error != "EAGAIN")
            throw ProtocolError("xenstored: committing a transaction: " + end.error);
    }
    throw ProtocolError("xenstored: a transaction was refused " + std::to_string(most_commits) +
                        " times");
}

Xenstore::Latency XenstoreSocket::measure(Deadline deadline) {
    Latency latency;
    const std::string node = "/tool/" + std::string(own_prefix) + std::to_string(getpid());
    const std::string path = node + std::string(1, '\0');
    // The first answer takes the longest: others stand in the queue before us.
    auto start = std::chrono::steady_clock::now();
    const XsAnswer tools = ask_one(xs_directory("/tool"), deadline);
    const double first = seconds_since(start);
    if (tools.good()) remove_leftovers(tools.value, deadline);
    start = std::chrono::steady_clock::now();
    must({XsType::Write, path + "1"}, "writing", deadline);
    latency.write = seconds_since(start);
    start = std::chrono::steady_clock::now();
    const std::string before = must(xs_read(node), "reading", deadline);
    latency.read = std::max(first, seconds_since(start));
    latency.transaction = time_transaction(node, deadline);
    const std::string after = must(xs_read(node), "reading", deadline);
    must({XsType::Remove, path}, "removing", deadline);
    if (before != "1" || after != "2")
        throw ProtocolError("xenstored: what was written reads back as something else");
    return latency;
}

}  // namespace domkeeper
