// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"
#include "fence/storage_tables.hpp"
#include "lib/io/aoe_fence.hpp"

int main(int argc, char** argv) {
    using namespace domkeeper;
    const auto open = [](const FenceDevice& device, const std::string&) {
        return open_aoe_fence(device);
    };
    return run_power_agent(aoe_agent_table(), open, argc, argv);
}
