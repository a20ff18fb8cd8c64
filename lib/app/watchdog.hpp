// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "lib/core/time.hpp"

namespace domkeeper {

/// Ends the process when its time is over, whatever the rest of it hangs in: several client
/// libraries block without bound, and exit handlers may too. Lives in a thread of its own and so
/// does not pass a fork.
class Watchdog {
  public:
    /// What the process says and how it ends when time is over.
    struct LastWords {
        std::string line;  ///< with its newline
        bool to_stderr = false;
        int exit_code = 1;
    };

    /// Throws std::system_error when no thread can be had.
    Watchdog(Instant at, LastWords words);

    /// Replaces time and words. Without effect once the time was over.
    void set(Instant at, LastWords words);
    /// Takes the right to print from the watchdog: true once, for whoever asks first. Afterwards
    /// the watchdog ends a process that still hangs with `exit_code` and without a word.
    bool claim(int exit_code);

  private:
    struct Shared;
    static void watch(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;
};

/// Now, on the clock that deadlines are measured with.
Instant monotonic_now();

}  // namespace domkeeper
