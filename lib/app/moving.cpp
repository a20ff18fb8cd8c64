// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/moving.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Opening a connection over ssh or TLS takes seconds on a busy host, and nobody waits for life.
constexpr int patience = 5;
/// Over the deadline that a call was given, before its task is left behind.
constexpr Duration grace{500};

/// Runs `work(i)` for each i < count side by side and waits for all, or until the deadline. What
/// the work touches must be shared.
void side_by_side(Scheduler& scheduler, std::size_t count, Deadline deadline,
                  const std::function<void(std::size_t)>& work) {
    const auto open = std::make_shared<std::size_t>(count);
    for (std::size_t i = 0; i < count; ++i)
        scheduler.spawn([&scheduler, open, work, i] {
            work(i);
            scheduler.update([&] { --*open; });
        });
    scheduler.wait_until(deadline.at + grace, [&] { return *open == 0; });
}

/// What the readers share; a late one may outlive the survey.
struct Reading {
    Inventory inventory;
    Survey survey;  ///< under the scheduler's lock
};

bool is_wanted(const SurveyOrder& order, const std::string& host, const DomainView& domain) {
    if (!is_active(domain.state)) return false;
    if (order.goal == MaintenancePhase::Balancing) return true;
    if (order.goal == MaintenancePhase::Evacuating) return host == order.host;
    return host != order.host && std::find(order.domains.begin(), order.domains.end(),
                                           domain.name) != order.domains.end();
}

/// Finds the domains to move in what was read of the hosts.
std::vector<std::pair<std::string, DomainView>> find_wanted(const SurveyOrder& order,
                                                            Survey& survey) {
    std::map<std::string, std::vector<std::string>> where;
    std::vector<std::pair<std::string, DomainView>> wanted;
    for (const auto& [host, reading] : survey.hosts)
        if (reading.view)
            for (const DomainView& domain : reading.view->domains)
                if (is_active(domain.state)) where[domain.name].push_back(host);
    for (const auto& [host, reading] : survey.hosts)
        if (reading.view)
            for (const DomainView& domain : reading.view->domains) {
                if (!is_wanted(order, host, domain)) continue;
                if (where[domain.name].size() > 1)
                    survey.twice[domain.name] = join(where[domain.name], " and ");
                else
                    wanted.emplace_back(host, domain);
            }
    return wanted;
}

}  // namespace

Survey take_survey(const Inventory& inventory, const SurveyOrder& order, Hypervisors& hypervisors,
                   Mover& mover, Scheduler& scheduler) {
    const auto reading = std::make_shared<Reading>();
    reading->inventory = inventory;
    const auto limit = [&] {
        return Deadline{scheduler.now().mono + inventory.policy.observe_time * patience};
    };
    for (const Host& host : inventory.hosts)
        reading->survey.hosts[host.name] = {std::nullopt, "no answer in time"};
    Deadline deadline = limit();
    side_by_side(scheduler, inventory.hosts.size(), deadline,
                 [reading, &hypervisors, &scheduler, deadline](std::size_t i) {
                     const Host& host = reading->inventory.hosts[i];
                     HostReading read;
                     try {
                         read.view = hypervisors.at(host)->read_host(deadline);
                     } catch (const Error& error) {
                         read.why = printable(error.what());
                     }
                     scheduler.update([&] { reading->survey.hosts[host.name] = std::move(read); });
                 });
    Survey seen;
    scheduler.update([&] { seen = reading->survey; });

    const auto wanted =
        std::make_shared<std::vector<std::pair<std::string, DomainView>>>(find_wanted(order, seen));
    for (const auto& [host, domain] : *wanted) {
        MoveFacts& facts = seen.domains[domain.name];
        facts.host = host;
        facts.view = domain;
        facts.trouble = "it could not be read in time";
    }
    reading->survey = seen;
    deadline = limit();
    side_by_side(
        scheduler, wanted->size(), deadline,
        [reading, wanted, &mover, &scheduler, deadline](std::size_t i) {
            const std::string& host = (*wanted)[i].first;
            const DomainView& domain = (*wanted)[i].second;
            MoveFacts facts;
            facts.host = host;
            facts.view = domain;
            try {
                facts = mover.facts(*reading->inventory.find_host(host), domain, deadline);
            } catch (const Error& error) {
                facts.trouble = printable(error.what());
            }
            scheduler.update([&] { reading->survey.domains[domain.name] = std::move(facts); });
        });
    scheduler.update([&] { seen = reading->survey; });

    std::set<std::string> devices;
    for (const auto& [name, facts] : seen.domains)
        devices.insert(facts.devices.begin(), facts.devices.end());
    if (devices.empty()) return seen;
    const auto asked = std::make_shared<std::vector<std::string>>(devices.begin(), devices.end());
    const auto targets = std::make_shared<std::vector<Host>>();
    for (const Host& host : inventory.hosts)
        if (seen.hosts[host.name].view &&
            (order.goal == MaintenancePhase::Balancing ||
             (host.name == order.host) == (order.goal == MaintenancePhase::Returning)))
            targets->push_back(host);
    deadline = limit();
    side_by_side(scheduler, targets->size(), deadline,
                 [reading, asked, targets, &mover, &scheduler, deadline](std::size_t i) {
                     std::map<std::string, DeviceSight> sights;
                     try {
                         sights = mover.sights((*targets)[i], *asked, deadline);
                     } catch (const Error& error) {
                         for (const std::string& device : *asked)
                             sights[device] = {Sight::Unknown, printable(error.what())};
                     }
                     scheduler.update(
                         [&] { reading->survey.sights[(*targets)[i].name] = std::move(sights); });
                 });
    scheduler.update([&] { seen = reading->survey; });
    return seen;
}

}  // namespace domkeeper
