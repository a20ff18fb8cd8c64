// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/inventory.hpp"
#include "lib/core/record.hpp"
#include "lib/port/hypervisor.hpp"
#include "lib/port/prober.hpp"

namespace domkeeper {

/// What came of asking one guest for its sign.
struct SignReport {
    bool asked = true;  ///< false: nothing could be asked, silence means nothing
    bool answered = false;
    std::string text;  ///< what was heard, or not; printable
};

/// What the prober looks at for a sign that is no agent's.
ProbeTarget probe_of(const GuestSign& sign);

SignReport report_of(const ProbeReport& report);

/// An agent is given so much more time than a probe: libvirt counts whole seconds, and asks twice.
inline constexpr Duration agent_time{2'500};

/// Asks the agent of a domain that runs on that host; blocks until the deadline at most.
SignReport ask_agent(Hypervisor& hypervisor, const DomainRecord& domain, Deadline deadline);

}  // namespace domkeeper
