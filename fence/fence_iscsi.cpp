// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"
#include "fence/storage_tables.hpp"
#include "lib/io/iscsi_fence.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_power_agent(domkeeper::iscsi_agent_table(), domkeeper::open_iscsi_fence,
                                      argc, argv);
}
