// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
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

/// The file to read: `given` (of --config), else $DOMKEEPER_CONFIG, else
/// /etc/domkeeper/domkeeper.toml. An empty one counts as not given.
std::string config_path(const std::string& given);

/// Reads a cluster file and finds every mistake in it, also in the secrets files that it names:
/// those that are missing or that others can read. A file that can't be read, is too big or is
/// no TOML is a problem too; of the mistakes against TOML itself only the first can be found.
/// Both lists are in the order of the file. Never throws for what the file holds.
LoadedConfig read_config(const std::string& path);

/// The inventory of a cluster file without mistakes. Throws UsageError with the first one, how
/// many more there are, and where all of them are shown. Secrets files are not looked at: one
/// that is missing must not hold up a recovery that needs another.
Inventory load_inventory(const std::string& path);

/// "file:12:3: host.xen1.memory: what is wrong".
std::string render_problem(const ConfigProblem& problem);

}  // namespace domkeeper
