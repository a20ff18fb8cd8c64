// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "lib/core/domain.hpp"

namespace domkeeper {

/// What a host says of one domain that is to be off there.
struct OffReading {
    bool known = false;  ///< it has a definition of it, or runs it
    DomainState state = DomainState::ShutOff;
    std::string reason;             ///< of the state; empty where the driver has none
    std::optional<bool> autostart;  ///< empty: the driver can't say
};

/// Why this reading does not prove that the domain stays off there; empty: it does. It does when
/// the host has forgotten the domain, or has it shut off and does not start it by itself.
std::optional<std::string> off_objection(const OffReading& reading);

/// The word of a living host that one domain is off there and stays so: without one of these no
/// domain of a living host is started on another one. It can't be made by hand, copied from a file
/// or kept over a restart: only OffWitness (lib/app/off_witness) mints it, right after it asked the
/// host, for one domain at a time.
class ProofOfShutOff {
  public:
    const std::string& host() const { return host_; }
    const std::string& uuid() const { return uuid_; }  ///< of the domain
    /// "xen1 says: shut off (destroyed), autostart off"
    const std::string& evidence() const { return evidence_; }

  private:
    friend class OffWitness;
    ProofOfShutOff(std::string host, std::string uuid, std::string evidence)
        : host_(std::move(host)), uuid_(std::move(uuid)), evidence_(std::move(evidence)) {}

    std::string host_;
    std::string uuid_;
    std::string evidence_;
};

}  // namespace domkeeper
