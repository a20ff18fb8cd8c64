// SPDX-License-Identifier: GPL-3.0-or-later
// Any cluster file is read or refused with printable words; one without mistakes also has a text
// form that says the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/core/inventory_text.hpp"
#include "lib/core/text.hpp"
#include "lib/io/toml_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace domkeeper;
    const LoadedConfig loaded = parse_config(std::string(data, data + size), "fuzz.toml");
    for (const auto* list : {&loaded.problems, &loaded.warnings})
        for (const ConfigProblem& problem : *list) {
            const std::string line = render_problem(problem);
            if (printable(line, 100'000) != line) std::abort();
        }
    if (loaded.problems.empty()) {
        const std::string once = render_inventory(loaded.inventory);
        if (render_inventory(parse_inventory(once)) != once) std::abort();
    }
    return 0;
}
