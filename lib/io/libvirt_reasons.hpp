// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/domain.hpp"

namespace domkeeper {

/// libvirt's numbers (virDomainState and the reason enum of each state, libvirt-domain.h) in the
/// project's words. Numbers that this version does not know give Unknown, and "reason 42".
DomainState domain_state_of(int state);
std::string domain_reason_of(int state, int reason);

}  // namespace domkeeper
