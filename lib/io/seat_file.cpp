// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/seat_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "lib/core/text.hpp"

namespace domkeeper {

std::string SeatFile::objection() {
    if (path_.empty()) return {};
    struct stat found {};
    if (::lstat(path_.c_str(), &found) == 0) {
        if (S_ISREG(found.st_mode)) return {};
        return "this node does not have the seat: " + printable(path_) + " is no file";
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return "this node does not have the seat (" + printable(path_) +
               "): another one acts for the cluster";
    return "whether this node has the seat can't be seen: " + printable(path_) + ": " +
           std::strerror(errno);
}

}  // namespace domkeeper
