// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/xenstore_view.hpp"

#include <array>
#include <string_view>

namespace domkeeper {

std::string xenbus_state_name(std::optional<std::int64_t> state) {
    static constexpr std::array<std::string_view, 9> names{
        "Unknown", "Initialising", "InitWait",      "Initialised", "Connected",
        "Closing", "Closed",       "Reconfiguring", "Reconfigured"};
    if (!state) return "no state";
    if (*state < 0 || *state >= static_cast<std::int64_t>(names.size()))
        return "state " + std::to_string(*state);
    return std::string(names[static_cast<std::size_t>(*state)]);
}

}  // namespace domkeeper
