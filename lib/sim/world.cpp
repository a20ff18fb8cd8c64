// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/world.hpp"

#include <cstdio>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// An effect that was decided just before somebody disarmed is no broken promise.
constexpr Duration disarm_slack{1'000};
/// From the last reading of a domain to its end.
constexpr Duration hand_slack{100};
/// From the reading of the power to the start that it allows.
constexpr Duration proof_slack{500};

}  // namespace

std::optional<DeviceMode> parse_device_mode(std::string_view word) {
    if (word == "good") return DeviceMode::Good;
    if (word == "silent") return DeviceMode::Silent;
    if (word == "stuck") return DeviceMode::Stuck;
    if (word == "garbage") return DeviceMode::Garbage;
    if (word == "denied") return DeviceMode::Denied;
    if (word == "says-on") return DeviceMode::SaysOn;
    if (word == "dies") return DeviceMode::Dies;
    return std::nullopt;
}

World::World(Inventory given, SimScheduler& given_scheduler)
    : inventory(std::move(given)), scheduler(given_scheduler) {
    for (const Host& host : inventory.hosts) {
        hosts[host.name];
        for (const FenceLevel& level : host.fence)
            for (const std::string& device : level) {
                const FenceDevice& configured = *inventory.find_device(device);
                devices[device].host = host.name;
                devices[device].covers = configured_coverage(configured);
                devices[device].lets_itself_in = configured.agent == "fence_iscsi";
            }
    }
    for (const std::string& witness : inventory.policy.witnesses) witnesses[witness] = true;
    arming.armed = true;
}

void World::log(const std::string& text) {
    char stamp[32];
    std::snprintf(stamp, sizeof stamp, "%8.3f ",
                  static_cast<double>(scheduler.now().mono.time_since_epoch().count()) / 1e6);
    lines_.push_back(stamp + text);
}

void World::broken(const std::string& promise) {
    log("BROKEN " + promise);
    broken_.push_back(promise);
}

void World::power_cut(const std::string& name) {
    SimHost& host = hosts.at(name);
    host.power = false;
    host.last_change = scheduler.now().mono;
    // What dies here is at home here, wherever it ran at first.
    for (const auto& [domain, state] : host.domains) {
        // Who ended what is forgotten with the host.
        ended_by_hand_.erase(domain);
        // What was started here and is off since is at home here, too.
        const auto latest = latest_.find(domain);
        const bool came_here = latest != latest_.end() && latest->second == name;
        if (!state.half && (came_here || is_active(state.state))) home_[domain] = name;
        if (state.half || !is_active(state.state)) continue;
        died_[domain] = scheduler.now().mono;
    }
    host.domains.clear();
    log("world    " + name + " is without power");
}

void World::release(const std::string& name) {
    SimHost& host = hosts.at(name);
    host.cut_disks.clear();
    host.released_at = scheduler.now().mono;
    log("world    " + name + " reaches all disks again");
}

bool World::is_cut_off(const SimHost& host, const std::string& domain) const {
    const auto definition = definitions.find(domain);
    return definition != definitions.end() &&
           !coverage_gap(Coverage::of_disks(host.cut_disks), definition->second);
}

bool World::without_storage(const std::string& domain) const {
    const auto definition = definitions.find(domain);
    return definition != definitions.end() &&
           stranded(inventory, storage_reports(), definition->second).has_value();
}

std::vector<StorageReport> World::storage_reports() const {
    std::vector<StorageReport> reports;
    for (const StorageNode& storage : inventory.storages) {
        const bool down = storages_down.count(storage.name) != 0;
        reports.push_back({storage.name,
                           down || monitor_cut ? storage_units(storage) : std::set<std::string>{},
                           storages_unasked.count(storage.name) == 0,
                           down || monitor_cut ? "no answer" : "login works"});
        if (reports.back().asked) continue;
        reports.back().down.clear();
        reports.back().evidence = "no route";
    }
    return reports;
}

void World::put_domain(const std::string& domain, const std::string& host, Bytes memory) {
    hosts.at(host).domains[domain] = {DomainState::Running, memory};
    hosts.at(host).defined.emplace(domain, false);
    if (!home_.emplace(domain, host).second) moved_by_hand_.insert(domain);
    home_[domain] = host;
}

bool World::monitor_reaches(const std::string& name) const {
    const auto found = hosts.find(name);
    return !monitor_cut && found != hosts.end() && found->second.power && found->second.reachable;
}

bool World::hypervisor_answers(const std::string& name) const {
    return monitor_reaches(name) && !hosts.at(name).hypervisor_hung;
}

bool World::is_unseen_twin(const std::string& domain, const std::string& name) const {
    return unforeseeable(domain) || (autostarted.count(domain) != 0 && !hypervisor_answers(name));
}

bool World::is_lost_half(const std::string& domain, const std::string& name) const {
    const SimHost& host = hosts.at(name);
    return host.was_silent && host.domains.at(domain).half;
}

void World::set_reachable(const std::string& name, bool reachable) {
    SimHost& host = hosts.at(name);
    host.reachable = reachable;
    host.was_silent = true;
    host.last_change = scheduler.now().mono;
}

void World::set_monitor_cut(bool cut) {
    monitor_cut = cut;
    for (auto& [name, host] : hosts) {
        host.was_silent = true;
        host.last_change = scheduler.now().mono;
    }
}

bool World::an_end_unknown(const std::string& domain) const {
    if (const auto sent = sent_to_.find(domain); sent != sent_to_.end() &&
                                                 !monitor_reaches(sent->second) &&
                                                 switched_off_.count(sent->second) == 0)
        return true;
    const auto home = home_.find(domain);
    if (home == home_.end()) return false;
    const SimHost& source = hosts.at(home->second);
    return source.was_silent || source.powered_on_at ||
           (!source.power && switched_off_.count(home->second) == 0);
}

void World::check_second_look(const std::string& name) {
    if (!monitor_reaches(name)) return;
    // By that policy a host is switched off that answers, but has lost its storage.
    if (inventory.policy.storage_lost == StorageLost::Fence) return;
    const SimHost& host = hosts.at(name);
    const Instant since = host.last_change.value_or(Instant{});
    // It may have come back after the look, while device after device was tried.
    const auto levels = static_cast<int>(inventory.find_host(name)->fence.size());
    const Duration slack =
        inventory.policy.look_time + 2 * levels * inventory.policy.fence_time + Duration{1'000};
    if (!host.last_change || scheduler.now().mono - since > slack)
        broken(name + " is switched off although it has answered all the time");
}

std::vector<std::string> World::running_on(const std::string& domain) const {
    std::vector<std::string> found;
    for (const auto& [name, host] : hosts) {
        const auto there = host.domains.find(domain);
        if (host.power && there != host.domains.end() && is_active(there->second.state) &&
            !is_cut_off(host, domain))
            found.push_back(name);
    }
    return found;
}

void World::begin_start(const std::string& domain, const std::string& name, Bytes memory) {
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) && now.wall - arming.since > disarm_slack)
        broken("a start of " + domain + " while disarmed");
    check_rules(domain, name);
    check_order(domain);
    for (const std::string& other : running_on(domain)) {
        // Nobody can know of a moment ago: what was read lasts for a while.
        const auto& released = hosts.at(other).released_at;
        if (released && now.mono - *released <= proof_max_age + proof_slack) continue;
        if (unforeseeable(domain)) continue;
        broken(domain + " is started on " + name + " while it runs on " + other);
    }
    const auto& back = hosts.at(home_[domain]).powered_on_at;
    // Where it was started since, first of all there, says more than where it died.
    const bool started_since =
        back && started_at_.count(domain) != 0 && started_at_[domain] > *back;
    // One that is cut off from the domain's disks may have its power.
    if (back && home_[domain] != name && !started_since && hosts.at(home_[domain]).power &&
        !is_cut_off(hosts.at(home_[domain]), domain) &&
        now.mono - *back > proof_max_age + proof_slack)
        broken(domain + " is started although " + home_[domain] + " is long back");
    check_trusted(domain, name);
    start_now(domain, name, memory);
}

void World::start_now(const std::string& domain, const std::string& name, Bytes memory) {
    hosts.at(name).domains[domain] = {DomainState::Running, memory};
    hosts.at(name).defined.emplace(domain, false);
    ended_by_hand_.erase(domain);
    if (hanging.count(domain) != 0) hang_guest(domain, false);
    log("world    " + domain + " starts on " + name);
    started_[domain] = latest_[domain] = name;
    started_at_[domain] = scheduler.now().mono;
    crash_soon(domain, name);
    const bool stops = unstable.count(domain) != 0;
    if (!stops && pausing.count(domain) == 0) return;
    scheduler.spawn_process([this, domain, name, stops] {
        scheduler.sleep(Duration{1000});
        SimHost& host = hosts.at(name);
        const auto there = host.domains.find(domain);
        // One that is off or paused already does nothing any more.
        if (!host.power || there == host.domains.end() ||
            there->second.state != DomainState::Running)
            return;
        if (stops)
            host.domains.erase(there);
        else
            there->second.state = DomainState::Paused;
        log("world    " + domain + (stops ? " stops" : " pauses") + " on " + name);
    });
}

void World::stop_domain(const std::string& domain, const std::string& name) {
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) && now.wall - arming.since > disarm_slack)
        broken(domain + " is stopped while disarmed");
    const Domain* const entry = inventory.find_domain(domain);
    const bool for_others = inventory.policy.make_room == MakeRoom::StopBestEffort &&
                            entry != nullptr && entry->domain_class == DomainClass::BestEffort;
    const auto ours = started_.find(domain);
    SimDomain& there = hosts.at(name).domains.at(domain);
    if (!for_others && (ours == started_.end() || ours->second != name) &&
        !may_be_ended(domain, there))
        broken(domain + " is stopped on " + name + ", where it was not started by us");
    const auto by_hand = ended_by_hand_.find(domain);
    // A crashed one that is kept in memory stands still by nobody's will.
    if (!for_others && there.state != DomainState::Crashed && by_hand != ended_by_hand_.end() &&
        now.mono - by_hand->second > hand_slack)
        broken(domain + " is stopped on " + name + " although somebody had paused it");
    // What we ended is ours to bring back.
    if (by_hand != ended_by_hand_.end()) ended_by_hand_.erase(by_hand);
    indistinct_.insert(domain);
    // Its definition stays.
    there = {DomainState::ShutOff, there.memory, false, false, "destroyed", there.autostart};
    log("world    " + domain + " is stopped on " + name);
}

bool World::guest_works(const std::string& domain, const std::string& name) const {
    const SimHost& host = hosts.at(name);
    const auto there = host.domains.find(domain);
    return there != host.domains.end() && there->second.state == DomainState::Running &&
           monitor_reaches(name) && host.mute.count(domain) == 0 && hanging.count(domain) == 0;
}

bool World::guest_answers(const std::string& address) const {
    for (const Domain& domain : inventory.domains) {
        if (!domain.answers || domain.answers->address != address) continue;
        for (const auto& item : hosts)
            if (guest_works(domain.name, item.first)) return true;
    }
    return false;
}

void World::begin_move(const std::string& domain, const std::string& from, const std::string& to) {
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) && now.wall - arming.since > disarm_slack)
        broken("a move of " + domain + " while disarmed");
    for (const std::string& other : running_on(domain))
        // A copy that was left on a host which fell silent never ran.
        if (other != from && !hosts.at(other).domains.at(domain).half &&
            !is_unseen_twin(domain, other))
            broken(domain + " is moved to " + to + " while it is on " + other);
    check_trusted(domain, to);
    check_rules(domain, to);
    sent_to_[domain] = to;
    hosts.at(from).domains.at(domain).busy = true;
    hosts.at(to).domains[domain] = {DomainState::Paused, hosts.at(from).domains.at(domain).memory,
                                    true, false};
    log("world    " + domain + " moves from " + from + " to " + to);
}

void World::pause_for_move(const std::string& domain, const std::string& from, const std::string&) {
    SimDomain& source = hosts.at(from).domains.at(domain);
    source.before_move = source.state;
    source.state = DomainState::Paused;
    source.half = true;
    source.busy = false;
}

void World::end_move(const std::string& domain, const std::string& from, const std::string& to) {
    if (hosts.at(to).domains.count(domain) == 0) broken(domain + " is let run where it is not");
    SimDomain& there = hosts.at(to).domains[domain];
    there.half = false;
    there.state = DomainState::Running;
    const auto source = hosts.at(from).domains.find(domain);
    if (source != hosts.at(from).domains.end()) {
        // What stood still before its move stands still after it, for the same reason.
        there.state = source->second.before_move;
        there.reason = source->second.reason;
        if (hosts.at(from).power && source->second.state == DomainState::Running)
            broken(domain + " is let run on " + to + " while it runs on " + from);
        hosts.at(from).domains.erase(source);
    }
    home_[domain] = to;
    latest_[domain] = to;
    hosts.at(from).defined.erase(domain);
    hosts.at(to).defined.emplace(domain, false);
    log("world    " + domain + " runs on " + to + " now");
}

void World::check_use_of_fencing(const std::string& host) {
    const Policy& policy = inventory.policy;
    const auto levels = static_cast<int>(inventory.find_host(host)->fence.size());
    const Duration slack = policy.look_time + policy.fence_time * (2 * levels) + Duration{1000};
    std::vector<std::string> without;
    for (const auto& [domain, home] : home_) {
        const Domain* entry = inventory.find_domain(domain);
        if (home != host || entry == nullptr || entry->restart == RestartPolicy::Never) continue;
        // Nobody may know yet that it is there.
        if (moved_by_hand_.count(domain) != 0) return;
        // Of one that the record may still call active this may be the reason to fence.
        if (!without_storage(domain)) return;
        // What was off before the host fell silent is not brought back.
        const SimHost& there = hosts.at(host);
        const auto shown = there.domains.find(domain);
        const bool off = there.power
                             ? shown != there.domains.end() && !is_active(shown->second.state)
                             : died_.count(domain) == 0;
        if (!off) without.push_back(domain);
    }
    for (const auto& [storage, since] : storages_down)
        if (!without.empty() && scheduler.now().mono - since > slack)
            return broken(host + " is fenced although " + storage + " is down, which " +
                          join(without, ", ") + " need");
}

void World::command_off(const std::string& name) {
    const SimDevice device = devices.at(name);
    const Now now = scheduler.now();
    if (!arming.armed_at(now.wall) &&
        now.wall - arming.since > disarm_slack + inventory.policy.fence_time)
        broken(name + " is switched while disarmed");
    check_second_look(device.host);
    if (device.mode == DeviceMode::Stuck)
        told_in_vain_.insert(device.host);
    else
        switched_off_.insert(device.host);
    std::set<std::string> off = switched_off_;
    off.insert(told_in_vain_.begin(), told_in_vain_.end());
    if (off.size() > static_cast<std::size_t>(inventory.policy.max_hosts_lost))
        broken(counted(off.size(), "host") + " switched off, the limit is " +
               std::to_string(inventory.policy.max_hosts_lost));
    check_use_of_fencing(device.host);
    log("world    " + name + " is told off");
    if (device.mode == DeviceMode::Stuck) return;
    scheduler.spawn_process([this, name, device] {
        scheduler.sleep(device.off_delay);
        if (!device.covers.is_everything()) {
            std::set<std::string>& cut = hosts.at(device.host).cut_disks;
            cut.insert(device.covers.units().begin(), device.covers.units().end());
            return log("world    " + name + " cuts " + device.host + " off from " +
                       device.covers.text());
        }
        if (hosts.at(device.host).power) power_cut(device.host);
    });
}

void World::crash_point(const std::string& call) {
    ++crash_points;
    if (crash_at.count(crash_points) == 0) return;
    log("world    the worker is killed at " + call);
    scheduler.kill(scheduler.current_process());
    if (on_crash) on_crash();
    throw SimKilled{};
}

}  // namespace domkeeper
