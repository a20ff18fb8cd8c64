// SPDX-License-Identifier: GPL-3.0-or-later
// The effects of taking a fenced host in again.
#include <utility>

#include "lib/app/executor_maintenance_shared.hpp"
#include "lib/app/fencing.hpp"
#include "lib/app/moving.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration forget_time{30'000};
constexpr Duration read_time{5'000};

/// What the host has active beside what it was judged by, or why that can't be told.
std::string new_on_host(Hypervisors& hypervisors, const Host& host, const Unfence& action,
                        Deadline deadline) {
    try {
        const HostView view = hypervisors.at(host)->read_host(deadline);
        for (const DomainView& domain : view.domains)
            if (is_active(domain.state) && action.active.count(domain.name) == 0)
                return printable(domain.name, 64) + " has become active on it meanwhile";
    } catch (const Error& error) {
        return action.host + " does not answer: " + printable(error.what());
    }
    return {};
}

}  // namespace

void MaintenanceRunner::begin(ExamineHost action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        // Of no domain more is asked than what its host shows of it.
        const Survey survey =
            take_survey(shared->inventory, {action.host, MaintenancePhase::Returning, {}},
                        shared->ports.hypervisors, shared->ports.mover, shared->ports.scheduler);
        shared->post(HostExamined{action.incident, survey.hosts});
    });
}

void MaintenanceRunner::begin(ForgetDefinition action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        DefinitionForgotten forgotten{action.domain.name, false, {}};
        const auto keep = [shared, &action](const std::string& xml) {
            shared->ports.journal.keep_definition({action.incident, action.host, action.domain.name,
                                                   shared->ports.scheduler.now().wall, xml});
        };
        try {
            shared->ports.hypervisors.at(shared->host(action.host))
                ->forget(action.domain, keep, Deadline{shared->mono() + forget_time});
            forgotten.done = true;
            forgotten.text = "taken away; `domkeeper incident " + std::to_string(action.incident) +
                             " --definition " + action.domain.name + "` shows it";
        } catch (const Error& error) {
            forgotten.text = printable(error.what());
        }
        shared->post(std::move(forgotten));
    });
}

void MaintenanceRunner::begin(Unfence action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        std::vector<FenceDevice> devices;
        for (const std::string& name : action.devices)
            if (const FenceDevice* device = shared->inventory.find_device(name))
                devices.push_back(*device);
        // Other hosts that don't answer make a look long, and this one has just started up.
        if (const std::string why =
                new_on_host(shared->ports.hypervisors, shared->host(action.host), action,
                            Deadline{shared->mono() + read_time});
            !why.empty())
            return shared->post(HostUnfenced{action.incident, false, why});
        FencingAuthority authority(shared->ports.switches, shared->ports.scheduler);
        const PowerOutcome outcome = authority.turn_on(
            devices, Deadline{shared->mono() + shared->inventory.policy.fence_time});
        shared->post(HostUnfenced{
            action.incident, outcome.ok(),
            outcome.ok() ? join(action.devices, " and ") + ": it reaches its disks, read back"
                         : printable(outcome.reason)});
    });
}

}  // namespace domkeeper
