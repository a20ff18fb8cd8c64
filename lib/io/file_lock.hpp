// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/io/unique_fd.hpp"
#include "lib/port/lock.hpp"

namespace domkeeper {

/// The worker's lock: an open file description lock (fcntl(2)) on a file that stays. The system
/// frees it when the holder dies, also by SIGKILL. Like flock(2), but it can be asked about
/// without being taken. A program that is executed does not inherit it (O_CLOEXEC); a fork shares
/// it, so take it after the fork.
class FileLock final : public Lock {
  public:
    /// Opens nothing yet. The file's folder must exist.
    explicit FileLock(std::string path) : path_(std::move(path)) {}

    bool try_acquire() override;
    void release() override;

  private:
    std::string path_;
    UniqueFd fd_;
};

/// The worker's lock file of a state directory.
std::string worker_lock_path(const std::string& state_dir);

/// True while somebody else holds the lock. Creates nothing, and never hinders somebody who tries
/// to take it. False where the file does not exist. Throws SystemError when the file is there and
/// can't be looked at.
bool is_lock_held(const std::string& path);

}  // namespace domkeeper
