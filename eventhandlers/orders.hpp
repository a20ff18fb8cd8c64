// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/app/cli.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/maintenance_types.hpp"
#include "lib/port/journal.hpp"

namespace domkeeper {

/// An order by who runs this program, with the option `reason`.
Maintenance order_of(const Arguments& arguments, const std::string& host, MaintenancePhase phase);

/// Writes the order, calls the worker and follows it to its end, for the option `timeout`. Ctrl-C
/// stops the work, not this. Returns the exit code. Throws TimedOut while the work goes on.
int give_order(const Inventory& inventory, const Arguments& arguments, const Maintenance& order);

/// Tells the worker to begin nothing further. Throws UsageError when there is no such order.
int stop_order(const Inventory& inventory, const std::string& host);

/// Why an order would be refused now, as the journal and the seat are; empty: it would not be.
std::string order_objection(const Inventory& inventory, Journal& journal);

Option reason_option();
Option follow_option();

}  // namespace domkeeper
