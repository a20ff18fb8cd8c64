// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace domkeeper {

/// The right of one monitoring node of several to act. Whoever gives it away (a cluster manager)
/// takes care that no two nodes have it at once, and that a node which loses it has ended its work.
class Seat {
  public:
    virtual ~Seat() = default;
    /// Why this node may not act now; empty: it may. Read anew at each call, quick, never throws.
    virtual std::string objection() = 0;
};

}  // namespace domkeeper
