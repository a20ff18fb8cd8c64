// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace domkeeper {

/// Off only on an exact match of what the device documents as off; all else is On, Mixed (some of
/// several plugs are on, the others off) or Unknown.
enum class PowerState { On, Off, Mixed, Unknown };

/// Soft asks the operating system to end by itself, where the device can.
enum class PowerCommand { Off, On, Reset, Soft };

std::string_view power_state_name(PowerState state);

/// What a host can no longer write to: everything, since its power is off, or some disks from which
/// a storage fence cut it off. Disks go by the name of their unit (lib/core/domain_disks).
class Coverage {
  public:
    /// Nothing at all.
    Coverage() = default;
    static Coverage everything();
    static Coverage of_disks(std::set<std::string> units);

    bool is_everything() const { return everything_; }
    bool empty() const { return !everything_ && units_.empty(); }
    bool has(const std::string& unit) const { return everything_ || units_.count(unit) != 0; }
    /// Of a coverage that is not everything.
    const std::set<std::string>& units() const { return units_; }
    /// True when this covers all that `other` does.
    bool includes(const Coverage& other) const;
    void add(const Coverage& other);
    /// "everything", "disks e7.1, e7.2", "nothing".
    std::string text() const;

    friend bool operator==(const Coverage&, const Coverage&) = default;

  private:
    bool everything_ = false;
    std::set<std::string> units_;
};

/// The evidence that a host can no longer write to what it covers: without one of these that covers
/// all its disks no domain is started elsewhere. It can't be made by hand, copied from a file or
/// kept over a restart: only FencingAuthority (lib/app/fencing) mints it, right after it read the
/// device.
class ProofOfOff {
  public:
    const std::string& host() const { return host_; }
    /// "bmc-xen1 reads off", "confirmed by alice: ..."
    const std::string& evidence() const { return evidence_; }
    const Coverage& coverage() const { return coverage_; }
    /// Takes in what another proof of the same host covers; one of another host is ignored.
    void add(const ProofOfOff& other);

  private:
    friend class FencingAuthority;
    ProofOfOff(std::string host, std::string evidence, Coverage coverage)
        : host_(std::move(host)), evidence_(std::move(evidence)), coverage_(std::move(coverage)) {}

    std::string host_;
    std::string evidence_;
    Coverage coverage_;
};

}  // namespace domkeeper
