// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/perfdata.hpp"
#include "lib/core/status.hpp"

namespace domkeeper {

/// What a check found: a tree, so that one domain is a part of its host's result.
struct CheckResult {
    Status status = Status::Ok;
    std::string summary;  ///< one line, no status word; made printable when rendered
    std::vector<Perfdata> perfdata;
    std::vector<CheckResult> parts;
};

/// The worst of the node and all below it.
Status overall(const CheckResult& result);

/// Plugin output: "NAME STATUS - summary|perfdata", then a line a part ("[WARNING] ...", indented
/// by depth, worst first) when `verbosity` asks for it or the part is not Ok. Printable, bounded
/// to 8 KiB (Nagios cuts there) with a last line that says what was left out.
std::string render_result(const std::string& name, const CheckResult& result, int verbosity = 0);

}  // namespace domkeeper
