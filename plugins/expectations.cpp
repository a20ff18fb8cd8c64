// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/expectations.hpp"

#include <filesystem>

#include "lib/core/error.hpp"
#include "lib/io/sqlite_record.hpp"

namespace domkeeper {

Expectations read_expectations(const Target& target, const std::vector<std::string>& named) {
    Expectations wanted;
    if (!named.empty()) {
        wanted.domains.emplace();
        for (const std::string& name : named) wanted.domains->push_back({.name = name});
        return wanted;
    }
    if (!target.inventory) return wanted;
    std::optional<ClusterRecord> record;
    std::string why = "there is none";
    try {
        std::error_code ignored;
        // A check that only looks makes no file.
        if (std::filesystem::exists(target.inventory->state_dir + "/record.db", ignored))
            record = SqliteRecord(target.inventory->state_dir).read();
    } catch (const Error& error) {
        why = error.what();
    }
    if (!record)
        wanted.note =
            "without the record (" + why + "): a domain that may run elsewhere is not missed here";
    wanted.domains = expected_on(*target.inventory, target.name, record ? &*record : nullptr);
    return wanted;
}

}  // namespace domkeeper
