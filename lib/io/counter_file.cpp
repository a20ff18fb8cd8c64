// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/counter_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& path) {
    throw SystemError(printable(path) + ": " + std::strerror(errno));
}

}  // namespace

std::string read_counter_file(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd && errno == ENOENT) return {};
    if (!fd) fail(path);
    std::string out;
    char buffer[4096];
    while (out.size() < longest) {
        const ssize_t got = read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(path);
        if (got == 0) break;
        out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
}

void write_counter_file(const std::string& path, const std::string& text) {
    // A name of its own beside it, so that nobody ever reads half a file.
    std::string part = path + ".XXXXXX";
    UniqueFd fd(mkostemp(part.data(), O_CLOEXEC));
    if (!fd) fail(part);
    const ssize_t put = write(fd.get(), text.data(), text.size());
    const bool good = put == static_cast<ssize_t>(text.size()) && fchmod(fd.get(), 0644) == 0 &&
                      rename(part.c_str(), path.c_str()) == 0;
    if (good) return;
    const int error = errno;
    unlink(part.c_str());
    errno = error;
    fail(path);
}

}  // namespace domkeeper
