// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// The frame of a program: the only catch blocks and exit codes. Each arms a watchdog that ends
/// the process 0.2 s after the -t deadline, whatever hangs, with the right exit code and one line
/// for its kind of program. The deadline counts from the start of run_*. --generate exits 0.
///
/// | kind    | done         | failed              | usage or configuration | -h, -V | watchdog |
/// |---------|--------------|---------------------|------------------------|--------|----------|
/// | check   | 0, 1, 2 or 3 | 3                   | 3                      | 3      | 3        |
/// | handler | 0            | 1                   | 3                      | 0      | 1        |
/// | tool    | what `body` returns: 0, 1 | 1      | 2                      | 0      | 1        |
/// | agent   | what `body` returns: 0, 2 (status: off) | 1 | 1            | 0      | 1        |
///
/// Checks and handlers say what went wrong on standard output, since monitors read only that;
/// tools and agents on standard error.

/// `body` returns what it found; the result is printed in the plugin format. An Error becomes
/// UNKNOWN with its message.
int run_check(const Program& program, int argc, char** argv,
              const std::function<CheckResult(const Arguments&, Deadline)>& body);

/// `body` prints to standard output by itself and returns the exit code: 0 done, 1 failed or
/// refused. A UsageError becomes 2, any other Error 1.
int run_tool(const Program& program, int argc, char** argv,
             const std::function<int(const Arguments&)>& body);

/// `body` returns the line to print: what was accepted, or why the event is ignored. A UsageError
/// becomes 3, any other Error 1. The watchdog does not pass a fork: a worker has its own limits.
int run_handler(const Program& program, int argc, char** argv,
                const std::function<std::string(const Arguments&, Deadline)>& body);

/// Reads options from argv, or from standard input when there are none, as the fence agent API
/// says. Metadata and man page are answered here; every other action is the body's, also
/// validate-all.
int run_agent(const Program& program, int argc, char** argv,
              const std::function<int(const Arguments&, Deadline)>& body);

}  // namespace domkeeper
