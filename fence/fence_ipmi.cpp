// SPDX-License-Identifier: GPL-3.0-or-later
#include <utility>

#include "fence/agent.hpp"
#include "fence/ipmi_table.hpp"
#include "lib/io/ipmi_switch.hpp"

int main(int argc, char** argv) {
    using namespace domkeeper;
    const auto open = [memory = std::make_shared<IpmiMemory>()](const FenceDevice& device,
                                                                std::string password) {
        return open_ipmi_switch(device, std::move(password), memory);
    };
    return run_power_agent(ipmi_agent_table(), open, argc, argv);
}
