// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/config.hpp"

namespace domkeeper {

/// The file to read: `given` (of --config), else $DOMKEEPER_CONFIG, else
/// /etc/domkeeper/domkeeper.toml. An empty one counts as not given.
std::string config_path(const std::string& given);

/// Reads a cluster file and finds every mistake in it, also in the secrets files that it names:
/// those that are missing or that others can read. A file that can't be read, is too big or is
/// no TOML is a problem too; of the mistakes against TOML itself only the first can be found.
/// Without `with_secrets` these are not looked at. Both lists are in the order of the file. Never
/// throws for what the file holds.
LoadedConfig read_config(const std::string& path, bool with_secrets = true);

/// The same for a text; `name` stands for the file's in what is said.
LoadedConfig parse_config(const std::string& text, const std::string& name,
                          bool with_secrets = false);

/// The inventory of a cluster file without mistakes. Throws UsageError with the first one, how
/// many more there are, and where all of them are shown. Secrets files are not looked at: one
/// that is missing must not hold up a recovery that needs another.
Inventory load_inventory(const std::string& path);

}  // namespace domkeeper
