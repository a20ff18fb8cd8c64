// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/nagios_commands.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

std::string field(const std::string& text) {
    std::string clean = printable(text, 200);
    std::replace(clean.begin(), clean.end(), ';', ',');
    return clean;
}

std::string seconds(TimePoint at) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace

std::string downtime_begins(const std::string& host, TimePoint now, Duration length,
                            const std::string& who, const std::string& text) {
    std::string lines;
    for (const char* command : {"SCHEDULE_HOST_DOWNTIME", "SCHEDULE_HOST_SVC_DOWNTIME"})
        // host;start;end;fixed;trigger;duration;author;comment
        lines += "[" + seconds(now) + "] " + command + ";" + field(host) + ";" + seconds(now) +
                 ";" + seconds(now + length) + ";1;0;" +
                 std::to_string(std::chrono::duration_cast<std::chrono::seconds>(length).count()) +
                 ";" + field(who) + ";" + field(text) + "\n";
    return lines;
}

std::string downtime_ends(const std::string& host, TimePoint now) {
    return "[" + seconds(now) + "] DEL_DOWNTIME_BY_HOST_NAME;" + field(host) + "\n";
}

std::string NagiosCommands::begin(const std::string& host, TimePoint now, Duration length,
                                  const std::string& who, const std::string& text) {
    if (path_.empty()) return {};
    write_lines(downtime_begins(host, now, length, who, text));
    return "the monitor is told of a downtime of " + render_duration(length);
}

std::string NagiosCommands::end(const std::string& host, TimePoint now) {
    if (path_.empty()) return {};
    write_lines(downtime_ends(host, now));
    return "the monitor is told that the downtime is over";
}

void NagiosCommands::write_lines(const std::string& lines) const {
    // Not blocking: without a monitor that reads, a FIFO would hold us for ever.
    const UniqueFd fd(open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0)
        throw SystemError(printable(path_) + ": " +
                          (errno == ENXIO ? "no monitor reads it" : std::strerror(errno)));
    if (!S_ISFIFO(info.st_mode)) throw SystemError(printable(path_) + " is no command file (FIFO)");
    // Up to PIPE_BUF a write is all or nothing, and never mixed with another one's.
    if (lines.size() > PIPE_BUF) throw SystemError("more than the monitor takes at once");
    if (write(fd.get(), lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()))
        throw SystemError(printable(path_) + ": " + std::strerror(errno));
}

}  // namespace domkeeper
