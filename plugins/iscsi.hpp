// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"
#include "lib/core/units.hpp"
#include "lib/io/iscsi_disk.hpp"
#include "plugins/latency.hpp"

namespace domkeeper {

/// One LUN that should be there.
struct IscsiUnit {
    std::string target;
    int lun = 0;
    std::optional<Bytes> size;
};

struct IscsiExpectations {
    std::vector<std::uint64_t>
        keys;                ///< of the hosts that should be registered; empty: not looked at
    bool read_only = false;  ///< a disk that is write protected is as it should be
    DiskThresholds thresholds;
};

std::vector<Option> iscsi_options();

/// "IQN", "IQN/LUN", each with "=SIZE"; without a LUN `lun`. Throws UsageError.
IscsiUnit parse_iscsi_unit(const std::string& text, int lun);

/// --target and --lun. Throws UsageError.
std::vector<IscsiUnit> read_iscsi_units(const Arguments& arguments);

/// Blocks at most until the deadline. Throws UsageError, Denied and SystemError (secrets).
CheckResult check_iscsi_wire(const Arguments& arguments, Deadline deadline);

/// `place`: how people call it; `label`: its perfdata.
CheckResult judge_iscsi(const std::string& place, const std::string& label, const IscsiUnit& unit,
                        const IscsiDisk& disk, const IscsiExpectations& wanted);

CheckResult judge_discovery(const std::string& portal, const std::vector<IscsiTarget>& targets);

}  // namespace domkeeper
