// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/core/inventory.hpp"
#include "lib/core/planner.hpp"
#include "lib/port/downtime.hpp"
#include "lib/port/hypervisor.hpp"
#include "lib/port/journal.hpp"
#include "lib/port/lock.hpp"
#include "lib/port/mover.hpp"
#include "lib/port/notifier.hpp"
#include "lib/port/power_switch.hpp"
#include "lib/port/prober.hpp"
#include "lib/port/scheduler.hpp"
#include "lib/port/seat.hpp"
#include "lib/port/storage_prober.hpp"

namespace domkeeper {

/// All that a worker acts through. What a port refers to must outlive every task that was
/// spawned: a process ends with std::_Exit after run_worker(), since a task may still hang in a
/// call that was given up.
struct WorkerPorts {
    Scheduler& scheduler;
    Journal& journal;
    RecordStore& records;
    Hypervisors& hypervisors;
    PowerSwitches& switches;
    Prober& prober;
    Notifier& notifier;
    Lock& lock;
    Mover& mover;
    Downtime& downtime;
    PackingSearch packing{};            ///< empty: the quick ways of placing alone
    StorageProber* storages = nullptr;  ///< null: storage can't be looked at, and is not blamed
    Seat* seat = nullptr;               ///< null: this is the only monitoring node

    /// As arming_here(); read anew before each step.
    Arming arming() const;
};

enum class WorkerEnd {
    Finished,  ///< nothing is left to do
    Busy,      ///< another worker holds the lock; it will see what is pending
};

/// Works on the pending events, the unfinished incidents and the orders for hosts in maintenance
/// until there are none: writes the journal, then acts. Blocks for the whole recovery. Throws
/// SystemError when the journal can't be written; then nothing more is begun.
WorkerEnd run_worker(const Inventory& inventory, const WorkerPorts& ports);

}  // namespace domkeeper
