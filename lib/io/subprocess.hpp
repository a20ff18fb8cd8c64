// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/time.hpp"

namespace domkeeper {

/// A program to run and what it is given.
struct Command {
    std::vector<std::string> argv;  ///< [0] is the path of the program; no shell, no PATH search
    std::string input;              ///< its whole stdin
    std::vector<std::string> environment;  ///< "NAME=value", added to PATH and LC_ALL=C alone
};

/// How it ended.
struct CommandResult {
    bool timed_out = false;  ///< it was killed at the deadline, with its process group
    int exit_code = -1;      ///< empty (-1) when a signal or the deadline ended it
    int signal = 0;          ///< the signal that ended it, 0 for none
    std::string output;      ///< the first 64 KiB of stdout and stderr together, raw
};

/// Runs a program and waits for it, at most until the deadline. It gets no open file of ours, a
/// process group of its own and default signals; what it leaves behind in that group is killed.
/// Throws UsageError for an empty command, SystemError when it can't be started.
CommandResult run_command(const Command& command, Deadline deadline);

}  // namespace domkeeper
