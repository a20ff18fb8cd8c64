// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/power.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {

std::string_view power_state_name(PowerState state) {
    switch (state) {
        case PowerState::On: return "on";
        case PowerState::Off: return "off";
        case PowerState::Mixed: return "on in part";
        case PowerState::Unknown: return "unknown";
    }
    return "unknown";
}

Coverage Coverage::everything() {
    Coverage coverage;
    coverage.everything_ = true;
    return coverage;
}

Coverage Coverage::of_disks(std::set<std::string> units) {
    Coverage coverage;
    coverage.units_ = std::move(units);
    return coverage;
}

bool Coverage::includes(const Coverage& other) const {
    if (everything_) return true;
    return !other.everything_ &&
           std::includes(units_.begin(), units_.end(), other.units_.begin(), other.units_.end());
}

void Coverage::add(const Coverage& other) {
    everything_ = everything_ || other.everything_;
    units_.insert(other.units_.begin(), other.units_.end());
}

std::string Coverage::text() const {
    if (everything_) return "everything";
    if (units_.empty()) return "nothing";
    return (units_.size() == 1 ? "disk " : "disks ") +
           join(std::vector<std::string>(units_.begin(), units_.end()), ", ");
}

void ProofOfOff::add(const ProofOfOff& other) {
    if (other.host_ != host_) return;
    coverage_.add(other.coverage_);
    evidence_ += ", " + other.evidence_;
}

}  // namespace domkeeper
