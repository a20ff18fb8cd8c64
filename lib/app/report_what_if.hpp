// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>

#include "lib/core/json.hpp"
#include "lib/core/survival.hpp"

namespace domkeeper {

/// What `domkeeper what-if` says to people and to programs. `silent` are the hosts that could not
/// be read, and why.
std::string render_what_if(const WhatIfAnswer& answer,
                           const std::map<std::string, std::string>& silent);
Json what_if_json(const WhatIfAnswer& answer, const std::map<std::string, std::string>& silent);

}  // namespace domkeeper
