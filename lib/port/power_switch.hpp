// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/core/error.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/power.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// The device has no plug of that name or number.
class NoSuchPlug : public UsageError {
    using UsageError::UsageError;
};
/// The device answers, and what it says is neither on nor off for certain.
class Unverified : public ProtocolError {
    using ProtocolError::ProtocolError;
};

/// One of the plugs that a device has.
struct PlugView {
    std::string plug;  ///< its number
    std::string name;  ///< as the device says: hostile, pass it through printable()
    PowerState state = PowerState::Unknown;
};

/// One plug of one device that can take power away, or a host's way to its disks. Calls end by
/// their deadline and throw Unreachable, TimedOut, Denied, ProtocolError or UsageError.
class PowerSwitch {
  public:
    virtual ~PowerSwitch() = default;
    /// Off only when the device itself says so in its documented way.
    virtual PowerState read(Deadline deadline) = 0;
    /// Sends the command; that it was accepted says nothing about the power: read() does.
    virtual void command(PowerCommand command, Deadline deadline) = 0;
    /// What the reading Off proves: of a power switch that the host writes to nothing any more, of
    /// a storage fence that it does not to these disks. Asked after read() has said Off.
    virtual Coverage coverage() const { return Coverage::everything(); }
    /// All plugs of the device; empty where it has but one and no names.
    virtual std::vector<PlugView> list(Deadline) { return {}; }
    /// How long one call may take when all is well.
    virtual Duration call_time() const { return Duration{3'000}; }
};

/// Makes the switch for a device of the cluster file. Throws UsageError for an unknown agent or
/// a bad option, and Denied or SystemError for a secrets file that can't or mustn't be read.
class PowerSwitches {
  public:
    virtual ~PowerSwitches() = default;
    virtual std::unique_ptr<PowerSwitch> open(const FenceDevice& device) = 0;
};

}  // namespace domkeeper
