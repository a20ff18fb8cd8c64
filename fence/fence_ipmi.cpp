// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"
#include "fence/ipmi_table.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_power_agent(domkeeper::ipmi_agent_table(), argc, argv);
}
