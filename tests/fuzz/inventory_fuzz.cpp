// SPDX-License-Identifier: GPL-3.0-or-later
// Any text is an inventory or refused; an inventory comes back as it was from its own text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/core/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace domkeeper;
    const std::string text(data, data + size);
    try {
        const std::string once = render_inventory(parse_inventory(text));
        const Inventory again = parse_inventory(once);
        if (render_inventory(again) != once) std::abort();
        for (const InventoryProblem& problem : check_inventory(again))
            if (!problem.warning) std::abort();
    } catch (const UsageError& error) {
        if (printable(error.what(), 4096) != error.what()) std::abort();
    }
    return 0;
}
