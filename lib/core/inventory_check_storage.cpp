// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong with the storage nodes of an inventory.
#include <algorithm>
#include <map>

#include "lib/core/agent_options.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// AoE units are "e7.1"; all others are iSCSI ones.
bool fits(const std::string& unit, bool aoe) {
    return aoe == (unit.find('/') == std::string::npos);
}

}  // namespace

std::vector<InventoryProblem> check_storages(const Inventory& inventory) {
    std::vector<InventoryProblem> problems;
    std::map<std::string, std::string> owners;  // of a disk
    for (std::size_t i = 0; i < inventory.storages.size(); ++i) {
        const StorageNode& storage = inventory.storages[i];
        const std::string path = "storage[" + std::to_string(i) + "]";
        const auto error = [&](const std::string& key, std::string text) {
            problems.push_back({path + "." + key, std::move(text), false});
        };
        const auto kinds = known_storages();
        const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const AgentOptions& known) {
            return known.agent == storage.agent;
        });
        if (kind == kinds.end()) {
            error("kind", "\"" + printable(storage.agent, 80) +
                              "\" is no kind of storage; \"aoe\" or \"iscsi\" would be right");
            continue;
        }
        for (const AgentOption& option : kind->options) {
            const std::string name(option.name);
            const auto value = storage.options.find(name);
            if (value == storage.options.end()) {
                if (option.required)
                    error(name,
                          "is missing; " + *wrong_option(option.form, "") + " would be right");
            } else if (const auto right = wrong_option(option.form, value->second)) {
                error(name, "\"" + printable(value->second, 80) + "\" was found; " + *right +
                                " would be right");
            }
        }
        if (storage.options.count("username") != 0 && storage.password_file.empty())
            error("password_file", "is missing; a username needs one");
        const auto disks = storage.options.find("disks");
        const auto units =
            disks == storage.options.end() ? std::nullopt : parse_disk_units(disks->second);
        if (!units) continue;
        for (const std::string& unit : *units) {
            if (!fits(unit, storage.agent == "aoe"))
                error("disks", printable(unit, 120) + " is no disk of this kind of storage");
            const auto [owner, fresh] = owners.emplace(unit, storage.name);
            if (!fresh && owner->second != storage.name)
                error("disks", printable(unit, 120) + " is on storage \"" +
                                   printable(owner->second, 80) + "\" already");
        }
    }
    return problems;
}

}  // namespace domkeeper
