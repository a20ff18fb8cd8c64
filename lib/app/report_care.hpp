// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/journal_types.hpp"
#include "lib/core/json.hpp"

namespace domkeeper {

/// "web1 on xen1", "domains of xen1", "xen1": what an incident is about.
std::string render_subject(const Incident& incident);

/// "web1 is left alone since 2026-11-22T04:13:44.120Z by alice: reason".
std::string render_hold(const DomainHold& hold, TimePoint now);
/// Those that did not end.
Json holds_json(const std::vector<DomainHold>& holds, TimePoint now);

}  // namespace domkeeper
