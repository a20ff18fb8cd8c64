// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/time.hpp"
#include "lib/port/journal.hpp"

namespace domkeeper {

/// What became of a reported event.
struct Handed {
    bool to_worker = false;
    std::string line;  ///< one line for the monitor's log or the operator
};

/// Why a report is not handed to a worker.
struct Ignored {
    std::vector<JournalEntry> entries;  ///< what the journal is to say of it
    std::string unknown;                ///< "host 'xen9'", which the cluster file does not have
};
/// Empty: a worker is to see it.
using Objection = std::function<std::optional<Ignored>(Journal& journal, Now now)>;

/// Takes a report, of which `about` are the first words: makes it durable and hands it to a worker
/// in a session of its own, or journals why not. The rest as of the other hand_over().
Handed hand_over(const Inventory& inventory, const HostEvent& event, const std::string& about,
                 const Objection& objection);

/// Takes a report of a host: what could matter is made durable and handed to a worker in a session
/// of its own; what is not to be acted on (soft states, UP, UNREACHABLE) is journaled with its
/// reason. Returns within half a second on a disk that answers. Call it while the process has one
/// thread beside the watchdog. Throws SystemError when the journal can't be written, UsageError for
/// a host that the cluster file does not have (journaled all the same).
Handed hand_over(const Inventory& inventory, const HostEvent& event);

/// Starts a worker for what is pending or unfinished, in a session of its own.
std::string start_worker(const Inventory& inventory);

}  // namespace domkeeper
