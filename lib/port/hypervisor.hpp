// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/core/domain.hpp"
#include "lib/core/error.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/offers.hpp"
#include "lib/core/power.hpp"
#include "lib/core/record.hpp"
#include "lib/core/shut_off.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// The domain that was to be started is active on that very host.
class AlreadyActive : public ProtocolError {
    using ProtocolError::ProtocolError;
};

/// The hypervisor of one host. Every call ends by its deadline, whatever the far side does, and
/// may be made from any thread. All throw Unreachable, TimedOut, Denied or ProtocolError.
class Hypervisor {
  public:
    virtual ~Hypervisor() = default;

    /// The host and all its domains, active and defined. One bulk call where the driver has it,
    /// bounded work for each domain where not. A domain that can't be read carries its trouble.
    virtual HostView read_host(Deadline deadline) = 0;

    /// The definition from which the domain would be started, secrets and all.
    virtual DomainDefinition read_definition(const std::string& uuid, Deadline deadline) = 0;

    /// What this host offers to domains, as far as its driver tells; see lib/core/offers.
    virtual Labels read_offers(Deadline) { return {}; }

    /// Starts a domain here that ran on another host; the proof is what allows it. Defines it
    /// first where the record says it was persistent. When it throws TimedOut the start may
    /// still happen: observe, never assume. Throws AlreadyActive when it runs here already.
    virtual void start_elsewhere(const DomainRecord& domain, const ProofOfOff& proof,
                                 Deadline deadline) = 0;

    /// Ends a domain at once, without asking its guest; its definition stays. Returns when it is
    /// off, or was so already. After any error it may still run: look, never assume.
    virtual void stop(const DomainRecord& domain, Deadline deadline) = 0;

    /// Takes the definition of a domain that is shut off here away: turns its autostart off, hands
    /// the definition without its secrets to `keep`, which must have it safe when it returns, and
    /// undefines it. Returns when it is not defined here, or was not. Throws AlreadyActive for one
    /// that is active, and whatever `keep` throws; after any error it may still be defined.
    virtual void forget(const DomainRecord& domain,
                        const std::function<void(const std::string& xml)>& keep,
                        Deadline deadline) = 0;

    /// Starts a domain again on the host where it ran: by the definition that this host has of it,
    /// or, where it was not persistent, by the recorded one. Throws as start_elsewhere() does, and
    /// ProtocolError for a domain with a saved state, which somebody put there.
    virtual void start_again(const DomainRecord& domain, Deadline deadline) = 0;

    /// Lets a domain go on that stands still on an I/O error. Throws ProtocolError where it stands
    /// still for another reason, or does not.
    virtual void resume(const DomainRecord& domain, Deadline deadline) = 0;

    /// Asks the agent inside of the guest whether it is there (guest-ping of QEMU's guest agent).
    /// False: it is silent, as while the guest boots. Throws ProtocolError where none can be asked:
    /// the domain has no channel for it, or the driver does not know agents.
    virtual bool ask_agent(const DomainRecord& domain, Deadline deadline) = 0;

    /// The host will not start it by itself any more. Nothing to do where it has no definition.
    virtual void keep_off(const DomainRecord& domain, Deadline deadline) = 0;

    /// Asks this host anew, for this domain alone.
    virtual OffReading read_off(const DomainRecord& domain, Deadline deadline) = 0;

    /// As start_elsewhere(), for a domain whose old host lives: by that host's own word.
    virtual void start_over(const DomainRecord& domain, const ProofOfShutOff& proof,
                            Deadline deadline) = 0;
};

/// Hands out the hypervisor of a host, connected at the first call and kept until destroyed.
class Hypervisors {
  public:
    virtual ~Hypervisors() = default;
    virtual std::shared_ptr<Hypervisor> at(const Host& host) = 0;
};

}  // namespace domkeeper
