// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/journal_types.hpp"
#include "lib/port/journal.hpp"

namespace domkeeper {

/// The right of one monitoring node of several to act. Whoever gives it away (a cluster manager)
/// takes care that no two nodes have it at once, and that a node which loses it has ended its work.
class Seat {
  public:
    virtual ~Seat() = default;
    /// Why this node may not act now; empty: it may. Read anew at each call, quick, never throws.
    virtual std::string objection() = 0;
};

/// Whether anything may be done by this node now: people may have disarmed it, or another node has
/// the seat. Throws SystemError when the journal can't be read.
inline Arming arming_here(Journal& journal, Seat& seat) {
    Arming arming = journal.arming();
    arming.no_seat = seat.objection();
    return arming;
}

}  // namespace domkeeper
