// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/app/executor_maintenance.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

/// What tasks share with the worker; they may outlive it.
struct MaintenanceRunner::Shared {
    Inventory inventory;
    WorkerPorts ports;
    std::deque<MaintenanceEvent> mailbox;  ///< under the scheduler's lock
    std::vector<JournalEntry> notes;
    std::map<std::string, std::shared_ptr<std::atomic<bool>>> cancels;  ///< by domain

    Shared(const Inventory& given, const WorkerPorts& given_ports)
        : inventory(given), ports(given_ports) {}

    Instant mono() { return ports.scheduler.now().mono; }
    void post(MaintenanceEvent event) {
        ports.scheduler.update([&] { mailbox.push_back(std::move(event)); });
    }
    const Host& host(const std::string& name) const {
        const Host* entry = inventory.find_host(name);
        if (entry == nullptr)
            throw UsageError("no host " + printable(name) + " is in the cluster file any more");
        return *entry;
    }
};

}  // namespace domkeeper
