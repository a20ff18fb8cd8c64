// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/balance.hpp"
#include "lib/core/json.hpp"

namespace domkeeper {

/// What evening the load out would do now.
struct BalanceReport {
    std::vector<HostShare> before;
    std::vector<HostShare> after;
    MaintenancePlan plan;
    std::vector<std::string> unread;  ///< hosts that do not answer
    int tolerance = 0;                ///< percent
    std::string objection;  ///< why nothing would be done; empty: nothing speaks against it
};

std::string render_balance(const BalanceReport& report);
Json balance_json(const BalanceReport& report);

}  // namespace domkeeper
