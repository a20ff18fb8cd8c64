// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/journal_types.hpp"

namespace domkeeper {

/// --type, of every event handler; `macro` is what the monitor fills in.
Option state_type_row(std::string macro);

/// --attempt, --output and --config, which end the table of every event handler.
std::vector<Option> with_event_rows(std::vector<Option> own, std::string attempt_macro);

/// What these rows say of an event, bounded and printable; the rest of it stays empty.
HostEvent read_event_rows(const Arguments& arguments);

}  // namespace domkeeper
