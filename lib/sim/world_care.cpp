// SPDX-License-Identifier: GPL-3.0-or-later
// What befalls single domains in the simulated world, and what their care must not do.
#include <algorithm>

#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/world.hpp"

namespace domkeeper {
namespace {

/// From the look on which an act was decided to the act.
constexpr Duration look_slack{4'000};

}  // namespace

void World::befall(const std::string& what, const std::string& domain) {
    for (auto& [name, host] : hosts) {
        const auto found = host.domains.find(domain);
        if (!host.power || found == host.domains.end() || found->second.half ||
            found->second.busy || !is_active(found->second.state))
            continue;
        SimDomain& there = found->second;
        // clang 14 lets no lambda hold a structured binding.
        const std::string& host_name = name;
        const auto becomes = [&](DomainState state, const char* reason) {
            there.state = state;
            there.reason = reason;
            log("world    " + domain + " on " + host_name + " is " +
                std::string(domain_state_name(state)) + " (" + reason + ")");
        };
        if (what == "crash") becomes(DomainState::ShutOff, "guest crashed");
        if (what == "panic") becomes(DomainState::Crashed, "panicked");
        if (what == "io-error") becomes(DomainState::Paused, "I/O error");
        if (what == "shutdown") becomes(DomainState::ShutOff, "shut down");
        if (what == "destroy") becomes(DomainState::ShutOff, "destroyed");
        if (what == "suspend") becomes(DomainState::Paused, "paused by a user");
        if (what == "autostart") there.autostart = true;
        // What a host has just started by itself nobody looks for there yet, nor what somebody
        // started where no record has it.
        const bool unseen =
            unforeseeable(domain) || (what == "destroy" && moved_by_hand_.count(domain) != 0);
        const bool by_hand = (what == "destroy" || what == "suspend") && !unseen;
        if (by_hand && (what == "suspend" || indistinct_.count(domain) == 0))
            ended_by_hand_.emplace(domain, scheduler.now().mono);
        else if (!by_hand && what != "autostart")
            ended_by_hand_.erase(domain);
    }
}

void World::hang_guest(const std::string& domain, bool hangs) {
    hangs ? (void)hanging.insert(domain) : (void)hanging.erase(domain);
    // Started anew, it has been silent for no time yet.
    if (!hangs) mute_since_.erase(domain);
    note_silence(domain);
}

void World::mute_guest(const std::string& domain, const std::string& where, bool mute) {
    for (auto& [name, host] : hosts) {
        if (!where.empty() && where != name) continue;
        mute ? (void)host.mute.insert(domain) : (void)host.mute.erase(domain);
    }
    note_silence(domain);
}

void World::note_silence(const std::string& domain) {
    const bool silent = hanging.count(domain) != 0 ||
                        std::any_of(hosts.begin(), hosts.end(), [&](const auto& item) {
                            return item.second.mute.count(domain) != 0;
                        });
    if (silent)
        mute_since_.emplace(domain, scheduler.now().mono);
    else
        mute_since_.erase(domain);
}

void World::crash_soon(const std::string& domain, const std::string& name) {
    const auto left = crashing.find(domain);
    if (left == crashing.end() || left->second == 0) return;
    --left->second;
    scheduler.spawn_process([this, domain, name] {
        scheduler.sleep(Duration{1'000});
        const auto there = hosts.at(name).domains.find(domain);
        if (there != hosts.at(name).domains.end() && there->second.state == DomainState::Running)
            befall("crash", domain);
    });
}

bool World::may_be_ended(const std::string& domain, const SimDomain& there) const {
    if (there.state == DomainState::Crashed) return true;
    const auto since = mute_since_.find(domain);
    return since != mute_since_.end() &&
           scheduler.now().mono - since->second >= inventory.policy.hang_time;
}

void World::check_restart(const std::string& domain, const std::string& name) {
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) && now.wall - arming.since > look_slack)
        broken(domain + " is brought back while disarmed");
    for (const std::string& other : running_on(domain))
        if (other != name && !unforeseeable(domain) && !is_lost_half(domain, other))
            broken(domain + " is brought back on " + name + " while it runs on " + other);
    if (ended_by_hand_.count(domain) != 0)
        broken(domain + " is brought back although somebody ended it");
    for (const auto& [storage, since] : storages_down)
        if (storages_unasked.count(storage) == 0 && now.mono - since > look_slack &&
            without_storage(domain))
            broken(domain + " is brought back although its storage is down");
}

void World::begin_restart(const std::string& domain, const std::string& name, Bytes memory) {
    check_restart(domain, name);
    // Where it was already it has its place, though not against who came there meanwhile.
    if (hosts.at(name).domains.count(domain) == 0 && hosts.at(name).defined.count(domain) == 0)
        check_rules(domain, name);
    else
        check_apart(domain, name);
    check_together(domain, name);
    const Now now = scheduler.now();
    home_[domain] = name;
    std::vector<Instant>& times = restarts_[domain];
    times.push_back(now.mono);
    const auto in_window = std::count_if(times.begin(), times.end(), [&](Instant at) {
        return now.mono - at < inventory.policy.restart_window;
    });
    const long limit = inventory.policy.restart_limit + inventory.policy.restarts_elsewhere;
    // A start of which nobody knows how it ended may be tried once more.
    if (in_window > limit + 1)
        broken(domain + " is started " + std::to_string(in_window) + " times, the limit is " +
               std::to_string(limit));
    start_now(domain, name, memory);
}

void World::start_is_known(const std::string& domain) {
    indistinct_.erase(domain);
}

void World::resume_domain(const std::string& domain, const std::string& name) {
    check_restart(domain, name);
    SimDomain& there = hosts.at(name).domains.at(domain);
    there.state = DomainState::Running;
    there.reason.clear();
    log("world    " + domain + " goes on on " + name);
    // Whatever it reads first fails again.
    if (without_storage(domain)) befall("io-error", domain);
    crash_soon(domain, name);
}

}  // namespace domkeeper
