// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"
#include "fence/pdu_table.hpp"
#include "lib/io/pdu_switch.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_power_agent(domkeeper::pdu_agent_table(), domkeeper::open_pdu_switch,
                                      argc, argv);
}
