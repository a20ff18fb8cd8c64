// SPDX-License-Identifier: GPL-3.0-or-later
// Which cluster file is read, and what becomes of one with mistakes.
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/trusted_file.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest_file = 1 << 20;

}  // namespace

std::string config_path(const std::string& given) {
    if (!given.empty()) return given;
    const char* set = std::getenv("DOMKEEPER_CONFIG");
    return set && *set ? set : "/etc/domkeeper/domkeeper.toml";
}

LoadedConfig read_config(const std::string& path, bool with_secrets) {
    try {
        if (const auto content = read_trusted_file(path, longest_file, "cluster file"))
            return parse_config(*content, path, with_secrets);
        throw SystemError(std::string("can't be read: ") + std::strerror(ENOENT));
    } catch (const Error& error) {
        LoadedConfig failed;
        failed.problems.push_back({printable(path, 1024), 0, 0, "", error.what()});
        return failed;
    }
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
