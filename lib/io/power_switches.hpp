// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/port/power_switch.hpp"

namespace domkeeper {

class IpmiMemory;

/// Opens the real switch for each agent's name. open() reads the device's secrets file and sends
/// nothing, so it can be used to check a configuration. Safe to use from several threads.
class RealPowerSwitches final : public PowerSwitches {
  public:
    /// `passwords` by name of the device take the place of its secrets file.
    explicit RealPowerSwitches(std::map<std::string, std::string> passwords = {});
    ~RealPowerSwitches() override;

    std::unique_ptr<PowerSwitch> open(const FenceDevice& device) override;

    /// Names of the agents that open() knows.
    static std::vector<std::string> agents();

  private:
    std::string password_of(const FenceDevice& device) const;

    std::map<std::string, std::string> passwords_;
    std::shared_ptr<IpmiMemory> ipmi_memory_;
};

}  // namespace domkeeper
