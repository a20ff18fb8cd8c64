// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "lib/core/packing.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// A search among all packings by integer programming with GLPK. One search takes at most `limit`,
/// and none goes on after `until`; then it is given up with the best that was met. Sizes count in
/// whole MiB: what a domain needs is rounded up and what a host has is rounded down. Wishes are not
/// looked at.
PackingSearch glpk_packing(Duration limit = Duration{500},
                           std::optional<Deadline> until = std::nullopt);

}  // namespace domkeeper
