// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lib/core/time.hpp"

namespace domkeeper {

/// What became of real reads of one block device.
struct BlockRead {
    std::vector<std::chrono::microseconds> latencies;  ///< of the reads that worked
    int error = 0;      ///< errno of the first that failed; 0: none did
    bool hung = false;  ///< one had not come back at the deadline
};

/// Reads `samples` blocks of 4096 bytes of each device, past the page cache, in a child process
/// each: the kernel may hold it for ever, also against SIGKILL, and it is then left behind. All are
/// read at the same time; returns by the deadline. Throws SystemError when no child can be had.
std::vector<BlockRead> read_blocks(const std::vector<std::string>& paths, std::size_t samples,
                                   Deadline deadline);

}  // namespace domkeeper
