// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "lib/core/time.hpp"
#include "lib/core/xenstore_codec.hpp"

namespace domkeeper {

/// xenstored of this machine. Every call ends by its deadline and throws Unreachable (nobody
/// listens), Denied, TimedOut, or ProtocolError (nonsense, or it hung up).
class Xenstore {
  public:
    virtual ~Xenstore() = default;

    /// Sends all requests without waiting in between; one answer each, in order. Watches are not
    /// set and transactions are not begun by it.
    virtual std::vector<XsAnswer> ask(const std::vector<XsRequest>& requests,
                                      Deadline deadline) = 0;

    /// How long single answers take.
    struct Latency {
        double read = 0;         ///< seconds for reading one entry
        double write = 0;        ///< for writing one
        double transaction = 0;  ///< for begin, read, write and commit
    };
    /// Writes an entry of its own that no domain sees, reads it back and removes it. Throws
    /// ProtocolError when what was read is not what was written.
    virtual Latency measure(Deadline deadline) = 0;
};

}  // namespace domkeeper
