// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/inventory.hpp"

namespace domkeeper {

/// Something wrong in a cluster file, or (as a warning) something that its owner should know.
struct ConfigProblem {
    std::string file;
    int line = 0;      ///< from 1; 0: the file as a whole
    int column = 0;    ///< from 1, in characters; 0 with line 0
    std::string key;   ///< its full name: "policy.look_time", "host.xen1.fence[0][1]"; may be empty
    std::string text;  ///< what was found and what would be right; printable, without secrets
};

struct LoadedConfig {
    Inventory inventory;  ///< to be used only when there are no problems
    std::vector<ConfigProblem> problems;
    std::vector<ConfigProblem> warnings;
};

/// "file:12:3: host.xen1.memory: what is wrong".
std::string render_problem(const ConfigProblem& problem);

}  // namespace domkeeper
