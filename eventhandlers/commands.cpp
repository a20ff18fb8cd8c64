// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/commands.hpp"

#include "lib/core/error.hpp"

namespace domkeeper {

std::vector<Command> all_commands() {
    return {
        check_config_command(), status_command(),   plan_command(),   what_if_command(),
        recover_command(),      evacuate_command(), return_command(), balance_command(),
        incidents_command(),    incident_command(), arm_command(),    disarm_command(),
        hold_command(),         care_command(),     unhold_command(), simulate_command(),
    };
}

Program domkeeper_program(const std::vector<Command>& commands) {
    Program program{
        .name = "domkeeper",
        .kind = ProgramKind::Tool,
        .brief = "Watch over and steer the recovery of dead hosts' domains.",
        .description =
            "Shows what domkeeper knows, did and would do, and arms or disarms what it does by "
            "itself. A new installation is disarmed: it acts on no event until domkeeper arm.\n\n"
            "Run it as the monitor's user or as root.",
        .options = {{.name = "config",
                     .letter = 'C',
                     .type = ValueType::File,
                     .value_name = "FILE",
                     .help = "The cluster file. Default: $DOMKEEPER_CONFIG, else "
                             "/etc/domkeeper/domkeeper.toml."},
                    {.name = "json",
                     .type = ValueType::Flag,
                     .help = "Print JSON for programs instead of tables for people."}},
        .examples = {"domkeeper check-config\tIs the cluster file right?",
                     "domkeeper status\tWho is where, and what is under way?",
                     "domkeeper plan --lost xen1\tWhat would happen if xen1 died now?",
                     "domkeeper what-if --add-domain db2=8GiB\tCould we lose any host then?",
                     "domkeeper evacuate xen1\tEmpty xen1 for a reboot; domkeeper return xen1 ends "
                     "that.",
                     "domkeeper disarm --for 2h --reason 'new switch'\tHands off for two hours."}};
    for (const Command& command : commands) program.commands.push_back(command.table);
    return program;
}

int run_command(const std::vector<Command>& commands, const Arguments& arguments) {
    for (const Command& command : commands)
        if (command.table.name == arguments.command()) return command.run(arguments);
    throw UsageError("a command is missing; --help lists them");
}

}  // namespace domkeeper
