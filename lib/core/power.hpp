// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace domkeeper {

/// Off only on an exact match of what the device documents as off; all else is On or Unknown.
enum class PowerState { On, Off, Unknown };

enum class PowerCommand { Off, On, Reset };

std::string_view power_state_name(PowerState state);

/// The evidence that a host can no longer write: without one of these no domain of it is started
/// elsewhere. It can't be made by hand, copied from a file or kept over a restart: only
/// FencingAuthority (lib/app/fencing) mints it, right after it read the device.
class ProofOfOff {
  public:
    const std::string& host() const { return host_; }
    /// "bmc-xen1 reads off", "confirmed by alice: ..."
    const std::string& evidence() const { return evidence_; }

  private:
    friend class FencingAuthority;
    ProofOfOff(std::string host, std::string evidence)
        : host_(std::move(host)), evidence_(std::move(evidence)) {}

    std::string host_;
    std::string evidence_;
};

}  // namespace domkeeper
