// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// The host that a check looks at.
struct Target {
    std::string name;                    ///< for people: the cluster file's name, or the URI
    std::string uri;                     ///< may hold credentials
    std::optional<Inventory> inventory;  ///< of --host
};

/// --connect, --host and --config.
std::vector<Option> target_options();

/// Reads the cluster file when --host asks for it. Throws UsageError when neither or both of
/// --connect and --host were given, for an unknown host and for a broken cluster file.
Target read_target(const Arguments& arguments);

/// A little earlier than `deadline`, so that what was learned can still be judged and printed.
Deadline reading_deadline(Deadline deadline, Duration timeout);

}  // namespace domkeeper
