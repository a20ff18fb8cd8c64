// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/executor_shared.hpp"

#include <algorithm>
#include <chrono>

#include "lib/core/domain_ailment.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

const Host& listed_host(const Inventory& inventory, const std::string& name) {
    const Host* entry = inventory.find_host(name);
    if (entry == nullptr)
        throw UsageError("no host " + printable(name) + " is in the cluster file any more");
    return *entry;
}

std::vector<FenceDevice> fence_devices(const Inventory& inventory, const std::string& host,
                                       const std::vector<std::size_t>& levels) {
    std::vector<FenceDevice> devices;
    const Host* entry = inventory.find_host(host);
    for (const std::size_t level : levels) {
        if (entry == nullptr || level >= entry->fence.size()) continue;
        for (const std::string& name : entry->fence[level]) {
            const FenceDevice* device = inventory.find_device(name);
            const bool known =
                std::any_of(devices.begin(), devices.end(),
                            [&](const FenceDevice& other) { return other.name == name; });
            if (device != nullptr && !known) devices.push_back(*device);
        }
    }
    return devices;
}

StartOutcome outcome_of(const std::function<StartOutcome()>& act) {
    try {
        return act();
    } catch (const AlreadyActive& error) {
        // Whoever started it: it has to be looked at, not to be started elsewhere.
        return {StartResult::Unknown, printable(error.what())};
    } catch (const TimedOut& error) {
        return {StartResult::Unknown, printable(error.what())};
    } catch (const Error& error) {
        return {StartResult::Failed, printable(error.what())};
    }
}

std::string took(Instant from, Instant to) {
    return " in " + render_seconds(std::chrono::duration_cast<Duration>(to - from)) + " s";
}

std::optional<std::string> spared(Hypervisor& hypervisor, const DomainRecord& domain,
                                  Deadline deadline) {
    const OffReading now = hypervisor.read_off(domain, deadline);
    if (!now.known) return std::nullopt;
    DomainView view;
    view.state = now.state;
    view.reason = now.reason;
    const Diagnosis diagnosis = diagnose(&view, false, true);
    if (diagnosis.ailment != Ailment::ByHand && diagnosis.ailment != Ailment::IoError)
        return std::nullopt;
    return "it is " + diagnosis.text + " now";
}

}  // namespace domkeeper
