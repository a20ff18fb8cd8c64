// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/commands.hpp"
#include "lib/app/run.hpp"

int main(int argc, char** argv) {
    const auto commands = domkeeper::all_commands();
    return domkeeper::run_tool(domkeeper::domkeeper_program(commands), argc, argv,
                               [&](const domkeeper::Arguments& arguments) {
                                   return domkeeper::run_command(commands, arguments);
                               });
}
