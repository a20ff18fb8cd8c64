// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/time.hpp"
#include "lib/core/xen.hpp"

namespace domkeeper {

/// The Xen hypervisor below this machine, asked from its dom0. Every call ends by its deadline
/// and throws Unreachable (there is none), Denied, TimedOut or ProtocolError.
class Xen {
  public:
    virtual ~Xen() = default;
    /// All domains, those too that are dying or that no toolstack knows. Without their schedulers.
    virtual std::vector<XenDomain> domains(Deadline deadline) = 0;
    /// All of it.
    virtual XenView read(Deadline deadline) = 0;
    /// What its console ring holds now, oldest first; at most 1 MiB. The ring is left as it is.
    virtual std::string messages(Deadline deadline) = 0;
};

}  // namespace domkeeper
