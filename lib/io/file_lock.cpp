// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/file_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
    const int cause = errno;
    throw SystemError("can't " + what + " lock file " + printable(path) + ": " +
                      std::strerror(cause));
}

struct flock whole_file() {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    return range;
}

}  // namespace

bool FileLock::try_acquire() {
    if (fd_) return true;
    UniqueFd fd(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!fd) fail("open", path_);
    struct flock range = whole_file();
    while (fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES) return false;
        if (errno != EINTR) fail("take", path_);
    }
    // Somebody may have removed or replaced the file between open and lock: then this lock
    // excludes nobody.
    struct stat ours {};
    struct stat named {};
    if (fstat(fd.get(), &ours) != 0) fail("look at", path_);
    if (stat(path_.c_str(), &named) != 0 || ours.st_dev != named.st_dev ||
        ours.st_ino != named.st_ino)
        return false;
    fd_ = std::move(fd);
    return true;
}

void FileLock::release() {
    fd_.reset();
}

std::string worker_lock_path(const std::string& state_dir) {
    return state_dir + "/worker.lock";
}

bool is_lock_held(const std::string& path) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        fail("open", path);
    }
    struct flock range = whole_file();
    if (fcntl(fd.get(), F_OFD_GETLK, &range) != 0) fail("look at", path);
    return range.l_type != F_UNLCK;
}

}  // namespace domkeeper
