// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/unique_fd.hpp"

#include <unistd.h>

namespace domkeeper {

void UniqueFd::reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
}

}  // namespace domkeeper
