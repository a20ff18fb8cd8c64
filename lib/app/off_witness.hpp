// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "lib/core/record.hpp"
#include "lib/core/shut_off.hpp"
#include "lib/port/hypervisor.hpp"

namespace domkeeper {

/// What asking a living host for its word came to.
struct OffWord {
    std::optional<ProofOfShutOff> proof;  ///< empty: the domain may run or start there
    std::string text;                     ///< what the host said, or why it is no proof; printable
};

/// Asks a host that lives whether a domain is off there and stays so: the only maker of
/// ProofOfShutOff. It believes no command, only what the host says when it is asked afterwards.
class OffWitness {
  public:
    /// Has the host not start the domain by itself, then reads it anew. Blocks until the deadline
    /// at most. Never throws an Error.
    static OffWord ask(Hypervisor& hypervisor, const DomainRecord& domain, Deadline deadline);
};

}  // namespace domkeeper
