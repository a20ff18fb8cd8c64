// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"
#include "lib/core/journal_types.hpp"

namespace domkeeper {

/// The option table of handle_host.
Program host_event_program();

/// What the monitor said on the command line; all texts printable and bounded.
HostEvent read_host_event(const Arguments& arguments);

}  // namespace domkeeper
