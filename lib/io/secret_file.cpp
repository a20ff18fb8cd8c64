// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest_secret = 1024;

std::string octal(mode_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
    return text;
}

}  // namespace

std::string read_secret_file(const std::string& path) {
    const std::string name = "secrets file " + printable(path);
    if (path.empty() || path.find('\0') != std::string::npos)
        throw SystemError(name + ": not a path");
    // Opened once and judged by the open file, so that nothing can be swapped in between. Not
    // blocking: a FIFO in its place must not hold us.
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
        const int cause = errno;
        const std::string text = name + ": " + std::strerror(cause);
        if (cause == EACCES || cause == EPERM) throw Denied(text);
        throw SystemError(text);
    }
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) throw SystemError(name + ": " + std::strerror(errno));
    if (!S_ISREG(info.st_mode)) throw Denied(name + " is not a regular file");
    if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        throw Denied(name + " has mode " + octal(info.st_mode) +
                     ": others must not read or write it; make it 0600 or 0640");

    std::array<char, longest_secret + 2> buffer{};
    std::size_t have = 0;
    while (have < buffer.size()) {
        const ssize_t got = read(fd.get(), buffer.data() + have, buffer.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemError(name + ": " + std::strerror(errno));
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    std::string_view line(buffer.data(), have);
    line = line.substr(0, line.find('\n'));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    std::string secret(line);
    explicit_bzero(buffer.data(), buffer.size());
    if (secret.size() > longest_secret)
        throw SystemError(name + ": its first line is longer than " +
                          std::to_string(longest_secret) + " bytes");
    if (secret.empty()) throw SystemError(name + ": its first line is empty");
    if (secret.find('\0') != std::string::npos)
        throw SystemError(name + ": its first line holds a zero byte");
    return secret;
}

void check_secret_file(const std::string& path) {
    std::string secret = read_secret_file(path);
    explicit_bzero(secret.data(), secret.size());
}

}  // namespace domkeeper
