// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/app/executor_maintenance.hpp"
#include "lib/app/executor_shared.hpp"

namespace domkeeper {

/// What tasks share with the worker; they may outlive it.
struct MaintenanceRunner::Shared {
    Inventory inventory;
    WorkerPorts ports;
    Mailbox<MaintenanceEvent> mailbox;
    std::vector<JournalEntry> notes;
    std::map<std::string, std::shared_ptr<std::atomic<bool>>> cancels;  ///< by domain

    Shared(const Inventory& given, const WorkerPorts& given_ports)
        : inventory(given), ports(given_ports), mailbox(given_ports.scheduler) {}

    Instant mono() { return ports.scheduler.now().mono; }
    void post(MaintenanceEvent event) { mailbox.post(std::move(event)); }
    const Host& host(const std::string& name) const { return listed_host(inventory, name); }
};

}  // namespace domkeeper
