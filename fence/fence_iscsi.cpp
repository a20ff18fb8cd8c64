// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"
#include "fence/storage_tables.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_power_agent(domkeeper::iscsi_agent_table(), argc, argv);
}
