// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <vector>

#include "lib/app/cli.hpp"

namespace domkeeper {

/// One command of the `domkeeper` program: its row in the option table and what it does. `run`
/// prints to standard output and returns the exit code, 0 done, 1 failed or refused.
struct Command {
    Subcommand table;
    std::function<int(const Arguments&)> run;
};

Command check_config_command();
Command status_command();
Command plan_command();
Command recover_command();
Command incidents_command();
Command incident_command();
Command arm_command();
Command disarm_command();

/// All commands, in the order of the help. A new one is declared above and added to this list.
std::vector<Command> all_commands();

/// The option table of the program with these commands.
Program domkeeper_program(const std::vector<Command>& commands);

/// Runs the command that was given. Throws what it throws.
int run_command(const std::vector<Command>& commands, const Arguments& arguments);

}  // namespace domkeeper
