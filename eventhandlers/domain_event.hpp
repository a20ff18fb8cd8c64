// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "eventhandlers/worker.hpp"
#include "lib/app/cli.hpp"
#include "lib/core/journal_types.hpp"

namespace domkeeper {

/// The option table of handle_domu.
Program domain_event_program();

/// What the monitor said on the command line; all texts printable and bounded. DomainFailed for
/// CRITICAL and DOWN, Unreachable for UNKNOWN and UNREACHABLE, Up for the rest. Throws UsageError
/// when neither a domain nor a host is named.
HostEvent read_domain_event(const Arguments& arguments);

/// As hand_over(), for a report of a domain or of a host's domains.
Handed hand_over_domain(const Inventory& inventory, const HostEvent& event);

}  // namespace domkeeper
