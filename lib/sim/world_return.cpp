// SPDX-License-Identifier: GPL-3.0-or-later
// The truth about hosts that come back: what they still have, and what may be done with them.
#include <algorithm>
#include <utility>

#include "lib/core/recovery.hpp"
#include "lib/sim/world.hpp"

namespace domkeeper {
namespace {

/// No host gets from its power button to its first domain in less.
constexpr Duration boot_time{6'000};
/// What was seen before somebody else acted is believed for so long.
constexpr Duration slack{1'000};

}  // namespace

void World::power_on(const std::string& name) {
    SimHost& host = hosts.at(name);
    const bool had_power = host.power;
    host.power = true;
    host.reachable = true;
    host.hypervisor_hung = false;
    host.last_change = scheduler.now().mono;
    if (!had_power) host.powered_on_at = host.last_change;
    switched_off_.erase(name);
    log("world    " + name + " has power and is up");
    if (had_power) return;
    const Instant boot = *host.powered_on_at;
    for (const auto& [domain, autostart] : host.defined) {
        if (!autostart) continue;
        scheduler.spawn_process([this, name, boot, domain = domain] {
            scheduler.sleep(boot_time);
            SimHost& up = hosts.at(name);
            const auto there = up.domains.find(domain);
            if (there != up.domains.end() && is_active(there->second.state)) return;
            if (!up.power || up.powered_on_at != boot) return;
            const auto defined = up.defined.find(domain);
            if (defined == up.defined.end() || !defined->second) return;
            up.domains[domain] = {DomainState::Running, gibibytes(1)};
            autostarted[domain] = scheduler.now().mono;
            log("world    " + name + " starts " + domain + " by itself");
        });
    }
}

void World::start_by_hand(const std::string& domain, const std::string& name) {
    const bool active = std::any_of(hosts.begin(), hosts.end(), [&](const auto& item) {
        const auto there = item.second.domains.find(domain);
        // Where one that crashed is kept in memory it can't be started again.
        return item.second.power && there != item.second.domains.end() &&
               (is_active(there->second.state) ||
                (item.first == name && there->second.state == DomainState::Crashed));
    });
    if (active || !hosts.at(name).power) return log("world    nobody starts it");
    put_domain(domain, name, sizes[domain]);
    ended_by_hand_.erase(domain);
    autostarted[domain] = scheduler.now().mono;
}

bool World::unforeseeable(const std::string& domain) const {
    const auto started = autostarted.find(domain);
    if (started == autostarted.end()) return false;
    return inventory.policy.unseen_peers == UnseenPeers::TrustRecord ||
           scheduler.now().mono - started->second <= proof_max_age + slack;
}

void World::distrust(const std::string& host) {
    untrusted_.emplace(host, scheduler.now().mono);
}

void World::trust(const std::string& host) {
    untrusted_.erase(host);
}

void World::check_trusted(const std::string& domain, const std::string& host) {
    const auto since = untrusted_.find(host);
    if (since != untrusted_.end() && scheduler.now().mono - since->second > slack)
        broken(domain + " lands on " + host + ", which was fenced and not looked at since");
}

void World::keep_definition(const std::string& domain, const std::string& host) {
    kept_.insert({domain, host});
}

void World::forget_definition(const std::string& domain, const std::string& name) {
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) && now.wall - arming.since > slack)
        broken(domain + " is undefined on " + name + " while disarmed");
    if (kept_.count({domain, name}) == 0)
        broken(domain + " is undefined on " + name + " without a copy");
    bool elsewhere = false;
    for (const auto& [other, host] : hosts)
        elsewhere =
            elsewhere ||
            (other != name && (host.domains.count(domain) != 0 || host.defined.count(domain) != 0));
    if (!elsewhere) broken(domain + " is undefined on " + name + ", the last host that knew it");
    hosts.at(name).defined.erase(domain);
    hosts.at(name).domains.erase(domain);
    log("world    " + domain + " is undefined on " + name);
}

/// What stands still behind a storage fence would go on writing.
void World::check_unfencing(const std::string& name) {
    for (const auto& [domain, state] : hosts.at(name).domains) {
        if (!is_active(state.state)) continue;
        const auto latest = latest_.find(domain);
        const bool went_on = latest != latest_.end() && latest->second != name;
        if (went_on || running_on(domain).size() > 1)
            broken(name + " gets its disks back although " + domain +
                   " is active on it and was started elsewhere");
    }
}

void World::command_on(const std::string& name) {
    const SimDevice& device = devices.at(name);
    log("world    " + name + " is told on");
    if (device.mode == DeviceMode::Stuck) return;
    if (device.covers.is_everything()) return power_on(device.host);
    check_unfencing(device.host);
    for (const std::string& unit : device.covers.units())
        hosts.at(device.host).cut_disks.erase(unit);
    hosts.at(device.host).released_at = scheduler.now().mono;
    log("world    " + name + " lets " + device.host + " reach " + device.covers.text());
}

}  // namespace domkeeper
