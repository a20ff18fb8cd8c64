// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/core/error.hpp"
#include "lib/sim/sim_ports.hpp"

namespace domkeeper {
namespace {

constexpr Duration call_time{5};
constexpr Duration step{50};
/// As the real one: a move that sends nothing for so long is ended.
constexpr Duration longest_silence{30'000};

}  // namespace

bool SimMover::answers(const std::string& host) const {
    return world_.hypervisor_answers(host);
}

void SimMover::reach(const std::string& host, Deadline deadline) {
    world_.scheduler.sleep(call_time);
    if (answers(host)) return;
    world_.scheduler.sleep_until(deadline.at);
    throw TimedOut(host + ": no answer in time");
}

MoveFacts SimMover::facts(const Host& host, const DomainView& domain, Deadline deadline) {
    reach(host.name, deadline);
    MoveFacts facts;
    facts.host = host.name;
    facts.view = domain;
    facts.devices = {"/dev/etherd/" + domain.name};
    if (world_.not_live.count(domain.name) != 0) {
        facts.can_live = false;
        facts.why_not_live = "it is a PV guest";
    }
    if (world_.not_pausable.count(domain.name) != 0) {
        facts.can_pause = false;
        facts.why_not_pause = "it has a device of its host";
    }
    return facts;
}

std::map<std::string, DeviceSight> SimMover::sights(const Host& host,
                                                    const std::vector<std::string>& devices,
                                                    Deadline deadline) {
    reach(host.name, deadline);
    std::map<std::string, DeviceSight> seen;
    for (const std::string& device : devices) {
        const std::string domain = device.substr(device.rfind('/') + 1);
        const bool hidden = world_.hosts.at(host.name).unseen.count(domain) != 0;
        seen[device] = {hidden ? Sight::Unseen : Sight::Seen, {}};
    }
    return seen;
}

std::string SimMover::move(const DomainRecord& domain, const Host& from, const Host& to,
                           MoveWay way, const MoveWatch& watch, Deadline deadline) {
    const std::string call = "move " + domain.name + " to " + to.name;
    world_.crash_point(call);
    const Instant began = world_.scheduler.now().mono;
    for (const Host& end : {from, to})
        reach(end.name, deadline.within(world_.scheduler.now().mono, longest_silence));
    if (way == MoveWay::Restart)
        restart(domain, from, to, deadline);
    else
        send(domain, from, to, watch, deadline);
    world_.crash_point(call + " returning");
    const auto took = std::chrono::duration_cast<Duration>(world_.scheduler.now().mono - began);
    return std::string(move_way_name(way)) + " in " + render_seconds(took) + " s";
}

void SimMover::restart(const DomainRecord& domain, const Host& from, const Host& to, Deadline) {
    auto& source = world_.hosts.at(from.name).domains;
    if (source.count(domain.name) != 0) {
        world_.crash_point("shutting down " + domain.name);
        world_.scheduler.sleep(world_.move_time);
        source.erase(domain.name);
        world_.log("world    " + domain.name + " is shut down on " + from.name);
        world_.crash_point("shut down " + domain.name);
    }
    if (!answers(from.name)) throw Unreachable(from.name + ": connection broken");
    if (!answers(to.name)) throw Unreachable(to.name + ": connection broken");
    if (world_.hosts.at(to.name).moves_fail.count(domain.name) != 0)
        throw ProtocolError(to.name + ": no start for you");
    world_.begin_start(domain.name, to.name, domain.memory);
    world_.hosts.at(from.name).defined.erase(domain.name);
}

void SimMover::send(const DomainRecord& domain, const Host& from, const Host& to,
                    const MoveWatch& watch, Deadline deadline) {
    SimHost& source = world_.hosts.at(from.name);
    SimHost& target = world_.hosts.at(to.name);
    if (source.domains.count(domain.name) == 0)
        throw ProtocolError(from.name + ": there is no such domain");
    if (!is_active(source.domains.at(domain.name).state))
        throw ProtocolError(from.name + ": the domain is not running");
    if (const auto there = target.domains.find(domain.name);
        there != target.domains.end() && is_active(there->second.state))
        throw ProtocolError(to.name + ": the domain is there already");
    if (target.moves_fail.count("*") != 0 || target.moves_fail.count(domain.name) != 0)
        throw ProtocolError(to.name + ": libxenlight failed to create new domain");
    world_.begin_move(domain.name, from.name, to.name);
    // The source sends on while this process looks on; without it the move does not end.
    const auto give_up = [&](const std::string& why) {
        if (const auto there = source.domains.find(domain.name); there != source.domains.end())
            there->second.busy = false;
        if (answers(to.name)) target.domains.erase(domain.name);
        throw ProtocolError(why);
    };
    world_.crash_point("sending " + domain.name);
    Duration silence{0};
    for (Duration sent{0}; sent < world_.move_time;) {
        world_.scheduler.sleep(step);
        if (!source.power || source.domains.count(domain.name) == 0)
            throw Unreachable(from.name + ": connection broken");
        if (!target.power) give_up(to.name + ": connection broken");
        if (watch.cancelled()) give_up("it was cancelled");
        if (deadline.passed(world_.scheduler.now().mono)) give_up("not done in time");
        const bool sends = answers(from.name) && answers(to.name);
        (sends ? sent : silence) += step;
        if (sends) silence = Duration{0};
        if (silence >= longest_silence) give_up("nothing was sent for 30 s");
    }
    world_.pause_for_move(domain.name, from.name, to.name);
    world_.crash_point("between both ends of " + domain.name);
    world_.scheduler.sleep(call_time);
    if (!source.power) throw Unreachable(from.name + ": connection broken");
    if (!target.power) throw Unreachable(to.name + ": connection broken");
    world_.end_move(domain.name, from.name, to.name);
}

SideState SimMover::look(const DomainRecord& domain, const Host& host, Deadline deadline) {
    world_.crash_point("look for " + domain.name + " on " + host.name);
    try {
        reach(host.name, deadline);
    } catch (const Error&) {
        return SideState::Unreachable;
    }
    const auto& domains = world_.hosts.at(host.name).domains;
    const auto found = domains.find(domain.name);
    if (found == domains.end() || !is_active(found->second.state)) return SideState::Absent;
    if (found->second.half) return SideState::Half;
    return found->second.busy ? SideState::Busy : SideState::Active;
}

void SimMover::clean_up(const DomainRecord& domain, const Host& host, CleanUp what,
                        Deadline deadline) {
    world_.crash_point(std::string(clean_up_name(what)) + " on " + host.name);
    reach(host.name, deadline);
    auto& domains = world_.hosts.at(host.name).domains;
    const auto found = domains.find(domain.name);
    if (found == domains.end()) throw ProtocolError(host.name + ": there is no such domain");
    switch (what) {
        case CleanUp::Abort: found->second.busy = false; break;
        case CleanUp::Discard:
            if (!found->second.half) throw ProtocolError(host.name + ": it is no half copy");
            domains.erase(found);
            world_.log("world    the half of " + domain.name + " on " + host.name + " is gone");
            break;
        case CleanUp::Resume:
            if (!found->second.half) throw ProtocolError(host.name + ": it does not stand still");
            for (const std::string& other : world_.running_on(domain.name))
                if (other != host.name && !world_.is_unseen_twin(domain.name, other) &&
                    !world_.is_lost_half(domain.name, other))
                    world_.broken(domain.name + " is resumed on " + host.name + " while on " +
                                  other);
            found->second.half = false;
            found->second.state = found->second.before_move;
            world_.log("world    " + domain.name + " goes on on " + host.name);
            break;
    }
    world_.crash_point(std::string(clean_up_name(what)) + " returning");
}

}  // namespace domkeeper
