// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/time.hpp"

namespace domkeeper {

/// An address to be looked at.
struct ProbeTarget {
    std::string address;
    std::vector<int> tcp_ports;  ///< tried beside ping; a refused connection is a sign of life
    /// Only a connection that is taken counts: for a service, not for the machine below it.
    bool only_tcp = false;
};

/// What was heard from an address.
struct ProbeReport {
    bool answered = false;
    /// "ping", "tcp 16509 refused", or why nothing could even be asked; printable.
    std::string evidence;
    /// False: nothing could be sent (no permission, no route): silence then means nothing.
    bool asked = true;
};

/// Looks at many addresses at once, several times and in several ways, without any monitor.
class Prober {
  public:
    virtual ~Prober() = default;
    /// Returns one report a target, in order, when all have answered or at the deadline. Never
    /// throws for a silent target.
    virtual std::vector<ProbeReport> look(const std::vector<ProbeTarget>& targets,
                                          Deadline deadline) = 0;
};

}  // namespace domkeeper
