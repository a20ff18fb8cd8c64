// SPDX-License-Identifier: GPL-3.0-or-later
// The rules of the cluster file, as the world sees whether they are kept.
#include <algorithm>

#include "lib/core/planner.hpp"
#include "lib/sim/world.hpp"

namespace domkeeper {

void World::check_rules(const std::string& domain, const std::string& name) {
    const Domain* const entry = inventory.find_domain(domain);
    if (entry == nullptr) return;
    const Host& host = *inventory.find_host(name);
    const std::string what = domain + " comes to " + name;
    if (!inventory.may_run(*entry, name)) broken(what + ", where it may not run");
    if (const std::string* need = unmet_need(entry->needs, all_offers(host.offers, {})))
        broken(what + ", which does not offer " + *need);
    std::int64_t used = vcpus[domain];
    for (const auto& [other, state] : hosts.at(name).domains)
        if (other != domain && inventory.find_domain(other) != nullptr && is_active(state.state) &&
            !unforeseeable(other))
            used += vcpus[other];
    check_apart(domain, name);
    if (host.vcpus && used > *host.vcpus)
        broken(what + ", which has " + std::to_string(used) + " virtual CPUs to give then, not " +
               std::to_string(*host.vcpus));
}

void World::check_apart(const std::string& domain, const std::string& name) {
    const Domain* const entry = inventory.find_domain(domain);
    if (entry == nullptr) return;
    for (const auto& [other, state] : hosts.at(name).domains) {
        const Domain* const neighbour = inventory.find_domain(other);
        if (other != domain && neighbour != nullptr && is_active(state.state) &&
            !unforeseeable(other) && share_group(entry->apart, neighbour->apart))
            broken(domain + " comes to " + name + " beside " + other +
                   ", from which it must stay apart");
    }
}

void World::check_together(const std::string& domain, const std::string& name) {
    const Domain* const entry = inventory.find_domain(domain);
    if (entry == nullptr || entry->together.empty()) return;
    std::string elsewhere;
    for (const auto& [where, there] : hosts)
        for (const auto& [other, state] : there.domains) {
            const Domain* const neighbour = inventory.find_domain(other);
            if (other == domain || neighbour == nullptr || !there.power ||
                !share_group(entry->together, neighbour->together))
                continue;
            // One that has just failed there comes back there; and what the host has started by
            // itself may have been seen.
            if (where == name) return;
            if (!is_active(state.state) || unforeseeable(other)) continue;
            // Of a host that the worker can't see it can't know, and from one in maintenance the
            // others will come after.
            if (!there.was_silent && !is_cut_off(there, other) && marked.count(where) == 0)
                elsewhere = other + " on " + where;
        }
    if (!elsewhere.empty())
        broken(domain + " is started on " + name + ", although it must be together with " +
               elsewhere);
}

/// It may have ended since it was seen. Of a host that does not answer nobody can know.
void World::check_place(const std::string& domain, const std::string& name) {
    const SimHost& host = hosts.at(name);
    const auto there = host.domains.find(domain);
    const bool half = there != host.domains.end() && there->second.half;
    if (hypervisor_answers(name) && (half || host.defined.count(domain) == 0))
        broken(domain + " is taken to run on " + name +
               (half ? ", where half a copy of it is" : ", where it never was"));
}

void World::check_order(const std::string& domain) {
    const auto died = died_.find(domain);
    if (died == died_.end()) return;
    for (const Domain& other : inventory.domains) {
        if (std::find(other.after.begin(), other.after.end(), domain) == other.after.end())
            continue;
        const auto its_death = died_.find(other.name);
        const auto its_start = started_at_.find(other.name);
        const auto own_start = started_at_.find(domain);
        const bool was_started = own_start != started_at_.end() && own_start->second > died->second;
        // Who failed later was started again for that alone.
        const auto again = restarts_.find(other.name);
        if (again != restarts_.end() && again->second.back() > died->second) continue;
        // Both died in one moment, and the other one was started while this one had not been.
        if (its_death != died_.end() && its_death->second == died->second &&
            its_start != started_at_.end() && its_start->second > died->second && !was_started &&
            given_up.count(domain) == 0)
            broken(other.name + " was started before " + domain + ", after which it is to come");
    }
}

}  // namespace domkeeper
