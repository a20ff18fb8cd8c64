// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/trusted_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/units.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {

std::optional<std::string> read_trusted_file(const std::string& path, std::size_t longest,
                                             const std::string& what) {
    // Not blocking: a FIFO in its place must not hold us.
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0)
        throw SystemError(std::string("can't be read: ") + std::strerror(errno));
    if (S_ISDIR(info.st_mode)) throw SystemError("is a directory, not a " + what);
    if (!S_ISREG(info.st_mode)) throw SystemError("is no regular file");
    if ((info.st_mode & S_IWOTH) != 0)
        throw SystemError("can be written by everybody: refused; chmod o-w it");
    std::string content(longest + 1, '\0');
    std::size_t have = 0;
    while (have < content.size()) {
        const ssize_t got = read(fd.get(), content.data() + have, content.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemError(std::string("can't be read: ") + std::strerror(errno));
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    if (have > longest)
        throw SystemError("is larger than " +
                          render_bytes(Bytes{static_cast<std::int64_t>(longest)}) +
                          ": that is no " + what);
    content.resize(have);
    return content;
}

}  // namespace domkeeper
