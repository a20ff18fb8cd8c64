// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/power_switches.hpp"

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/aoe_fence.hpp"
#include "lib/io/external_switch.hpp"
#include "lib/io/ipmi_switch.hpp"
#include "lib/io/iscsi_fence.hpp"
#include "lib/io/pdu_switch.hpp"
#include "lib/io/secret_file.hpp"

namespace domkeeper {

RealPowerSwitches::RealPowerSwitches(std::map<std::string, std::string> passwords)
    : passwords_(std::move(passwords)), ipmi_memory_(std::make_shared<IpmiMemory>()) {}

RealPowerSwitches::~RealPowerSwitches() = default;

std::unique_ptr<PowerSwitch> RealPowerSwitches::open(const FenceDevice& device) {
    if (device.agent == "fence_ipmi")
        return open_ipmi_switch(device, password_of(device), ipmi_memory_);
    if (device.agent == "fence_pdu") return open_pdu_switch(device, password_of(device));
    if (device.agent == "fence_aoe") return open_aoe_fence(device);
    if (device.agent == "fence_iscsi") return open_iscsi_fence(device, password_of(device));
    if (starts_with(device.agent, "/")) return open_external_switch(device, password_of(device));
    throw UsageError("unknown fence agent \"" + printable(device.agent, 60) +
                     "\"; known: " + join(agents(), ", "));
}

std::vector<std::string> RealPowerSwitches::agents() {
    return {"fence_ipmi", "fence_pdu", "fence_aoe", "fence_iscsi"};
}

std::string RealPowerSwitches::password_of(const FenceDevice& device) const {
    if (const auto given = passwords_.find(device.name); given != passwords_.end())
        return given->second;
    if (device.password_file.empty()) return {};
    return read_secret_file(device.password_file);
}

}  // namespace domkeeper
