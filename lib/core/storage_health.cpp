// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/storage_health.hpp"

#include <algorithm>

#include "lib/core/agent_options.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// True for a path under one of the folders (or volume groups) of the node.
bool lies_on(const StorageNode& storage, std::string_view source) {
    for (std::string folder : split(option_of(storage, "paths"), ' ')) {
        while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
        if (folder.empty() || !starts_with(source, folder)) continue;
        if (source.size() == folder.size() || source[folder.size()] == '/') return true;
    }
    return false;
}

}  // namespace

std::set<std::string> storage_units(const StorageNode& storage) {
    return parse_disk_units(option_of(storage, "disks")).value_or(std::set<std::string>{});
}

std::optional<std::string> stranded(const Inventory& inventory,
                                    const std::vector<StorageReport>& reports,
                                    std::string_view xml) {
    const auto disks = parse_domain_disks(xml);
    if (!disks) return std::nullopt;
    for (const StorageReport& report : reports) {
        if (report.down.empty()) continue;
        for (const StorageNode& storage : inventory.storages) {
            if (storage.name != report.name) continue;
            for (const DomainDisk& disk : *disks) {
                const bool is_unit = !disk.unit.empty() && report.down.count(disk.unit) != 0;
                if (!is_unit && !lies_on(storage, disk.source)) continue;
                return "its disk " + printable(is_unit ? disk.unit : disk.source, 120) +
                       " is on storage " + report.name + ", which is down (" + report.evidence +
                       ")";
            }
        }
    }
    return std::nullopt;
}

bool uses_storage(const Inventory& inventory, std::string_view xml) {
    const auto disks = parse_domain_disks(xml);
    // Nobody can say of what can't be read.
    if (!disks) return true;
    return std::any_of(disks->begin(), disks->end(), [&](const DomainDisk& disk) {
        return std::any_of(
            inventory.storages.begin(), inventory.storages.end(), [&](const StorageNode& storage) {
                return (!disk.unit.empty() && storage_units(storage).count(disk.unit) != 0) ||
                       lies_on(storage, disk.source);
            });
    });
}

std::string storage_trouble(const std::vector<StorageReport>& reports) {
    std::vector<std::string> down;
    for (const StorageReport& report : reports)
        if (!report.down.empty())
            down.push_back("storage " + report.name + " is down (" + report.evidence + ")");
    return join(down, " and ");
}

}  // namespace domkeeper
