// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/domain.hpp"
#include "lib/core/range.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

struct Dom0Thresholds {
    Threshold time;     ///< seconds until the answer was complete
    Threshold memory;   ///< percent of the host's memory that is left
    Threshold domains;  ///< number of active domains
};

/// Options warning and critical, and both with the prefixes memory- and domains-.
std::vector<Option> threshold_options();
Dom0Thresholds read_thresholds(const Arguments& arguments);

/// A host that answered: how fast, which versions, memory left, number of domains. Memory that the
/// driver can't tell is Unknown where a threshold asks for it, and else only not shown.
CheckResult judge_dom0(const HostView& view, const std::string& host,
                       const Dom0Thresholds& thresholds);

}  // namespace domkeeper
