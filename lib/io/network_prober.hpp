// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/port/prober.hpp"

namespace domkeeper {

/// Looks by ICMP echo and by TCP connections, all targets in one loop and one thread: at the
/// start, after a third and after two thirds of the time. A sign of life is an echo reply with
/// our random payload from the very address, a connection, or a refused or reset one. What only
/// the own machine or a router says (no route, host unreachable) is none. Safe to use from
/// several threads.
class NetworkProber final : public Prober {
  public:
    std::vector<ProbeReport> look(const std::vector<ProbeTarget>& targets,
                                  Deadline deadline) override;
};

}  // namespace domkeeper
