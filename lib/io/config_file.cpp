// SPDX-License-Identifier: GPL-3.0-or-later
// Which cluster file is read, and what becomes of one with mistakes.
#include <cstdlib>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {

std::string config_path(const std::string& given) {
    if (!given.empty()) return given;
    const char* set = std::getenv("DOMKEEPER_CONFIG");
    return set && *set ? set : "/etc/domkeeper/domkeeper.toml";
}

Inventory load_inventory(const std::string& path) {
    LoadedConfig loaded = read_config(path, false);
    if (loaded.problems.empty()) return std::move(loaded.inventory);
    const std::size_t more = loaded.problems.size() - 1;
    std::string text = render_problem(loaded.problems.front());
    if (more > 0) text += "; and " + counted(more, "more mistake");
    if (loaded.problems.front().line > 0) text += "; see domkeeper check-config";
    throw UsageError(text);
}

}  // namespace domkeeper
