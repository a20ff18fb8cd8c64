// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/recovery.hpp"

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
Command what_if_command();
Command simulate_command();
Command recover_command();
Command evacuate_command();
Command return_command();
Command balance_command();
Command incidents_command();
Command incident_command();
Command arm_command();
Command disarm_command();
Command care_command();
Command hold_command();
Command unhold_command();

/// The hosts named by a repeatable option, also several in one word with commas. Throws UsageError
/// for one that is not in the cluster file.
std::vector<std::string> hosts_given(const Arguments& arguments, const std::string& option,
                                     const Inventory& inventory);

/// Reads all hosts but the left out ones side by side, within policy.observe_time.
std::map<std::string, LastView> read_peers(const Inventory& inventory,
                                           const std::vector<std::string>& left_out);

/// All commands, in the order of the help. A new one is declared above and added to this list.
std::vector<Command> all_commands();

/// The option table of the program with these commands.
Program domkeeper_program(const std::vector<Command>& commands);

/// Runs the command that was given. Throws what it throws.
int run_command(const std::vector<Command>& commands, const Arguments& arguments);

}  // namespace domkeeper
