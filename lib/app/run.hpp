// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// The frame of a program: the only catch blocks and exit codes. Each arms a watchdog first that
/// ends the process shortly after the -t deadline, whatever hangs, with the right exit code and
/// line for its kind of program (UNKNOWN for a check).
int run_check(const Program& program, int argc, char** argv,
              const std::function<CheckResult(const Arguments&, Deadline)>& body);

/// `body` prints through `out` and returns the exit code; an Error becomes one line and exit 1
/// (usage: 3 for handlers and tools' UsageError is 2... see the man pages).
int run_tool(const Program& program, int argc, char** argv,
             const std::function<int(const Arguments&)>& body);

int run_handler(const Program& program, int argc, char** argv,
                const std::function<std::string(const Arguments&, Deadline)>& body);

/// Reads options from argv, or from stdin when there are none, as the fence agent API says.
int run_agent(const Program& program, int argc, char** argv,
              const std::function<int(const Arguments&, Deadline)>& body);

}  // namespace domkeeper
