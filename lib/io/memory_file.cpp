// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/memory_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& doing) {
    throw SystemError("the memory of the last run, " + printable(path) + ": " + doing + ": " +
                      std::strerror(errno));
}

std::string file_name(const std::string& check, const std::string& about) {
    std::string out = check;
    if (about.empty()) return out + ".memory";
    out += '-';
    for (const char c : about.substr(0, 64)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_';
        out += plain ? c : '-';
    }
    // Two names that look alike after that must not share a file.
    return out + "-" + digest(about).substr(0, 8) + ".memory";
}

}  // namespace

MemoryFile::MemoryFile(const std::string& folder, const std::string& check,
                       const std::string& about)
    : path_(folder + "/" + file_name(check, about)) {}

Memory MemoryFile::read() const {
    const UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        if (errno == ENOENT) return {};
        fail(path_, "can't read it");
    }
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) fail(path_, "can't read it");
    if (!S_ISREG(info.st_mode))
        throw SystemError("the memory of the last run, " + printable(path_) +
                          ", is no regular file");
    std::string text;
    std::array<char, 16 * 1024> buffer{};
    while (text.size() < memory_limit) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(path_, "can't read it");
        if (got == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return parse_memory(text);
}

void MemoryFile::write(const Memory& memory) const {
    const std::string fresh = path_ + "." + std::to_string(getpid());
    unlink(fresh.c_str());  // of a run with the same number that was killed
    UniqueFd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail(path_, "can't write it");
    const std::string text = render_memory(memory);
    std::string_view left = text;
    while (!left.empty()) {
        const ssize_t put = ::write(fd.get(), left.data(), left.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            const int cause = errno;
            unlink(fresh.c_str());
            errno = cause;
            fail(path_, "can't write it");
        }
        left.remove_prefix(static_cast<std::size_t>(put));
    }
    // Not synced: after a crash of the machine an older memory, or none, does no harm.
    fd.reset();
    if (rename(fresh.c_str(), path_.c_str()) != 0) {
        const int cause = errno;
        unlink(fresh.c_str());
        errno = cause;
        fail(path_, "can't write it");
    }
}

}  // namespace domkeeper
