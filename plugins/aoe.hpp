// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/aoe_survey.hpp"
#include "lib/core/result.hpp"
#include "lib/core/units.hpp"
#include "lib/io/aoe_network.hpp"
#include "plugins/latency.hpp"

namespace domkeeper {

/// What should be there.
struct AoeExpectations {
    struct Target {
        AoeAddress address;
        std::optional<Bytes> size;
    };
    std::vector<Target> targets;     ///< empty: whatever answers, but something must
    std::vector<MacAddress> access;  ///< hosts that should be admitted; empty: not looked at
    std::int64_t initiators = 0;     ///< hosts that share each target; 0: not looked at
    DiskThresholds thresholds;
};

std::vector<Option> aoe_options();
/// Throws UsageError that names the option.
AoeExpectations read_aoe_expectations(const Arguments& arguments);

/// --samples for each of so many disks; without it 10, of many disks 5. Throws UsageError.
std::size_t sample_count(const Arguments& arguments, std::size_t disks);

/// Asks on the wire. Blocks at most until the deadline. Throws as PacketSocket and
/// read_interface().
CheckResult check_aoe_wire(PacketSocket& socket, const Arguments& arguments, Deadline deadline);

/// "e7.3" -> the target's address; a name that is none gives none. For --target with a size:
/// "7.3=8GiB". Throws UsageError.
AoeExpectations::Target parse_aoe_target(const std::string& text);

CheckResult judge_aoe(const std::vector<NetworkInterface>& interfaces, const AoeSurveyed& seen,
                      const AoeExpectations& wanted);

}  // namespace domkeeper
