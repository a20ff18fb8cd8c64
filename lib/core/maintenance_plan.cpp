// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/maintenance_plan.hpp"

#include <algorithm>
#include <tuple>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

class Maker {
  public:
    Maker(const MaintenanceQuestion& question, const Survey& survey)
        : question_(question), survey_(survey) {}

    MaintenancePlan make() {
        for (const auto& [name, where] : survey_.twice)
            refuse(RefusalKind::RunsTwice, name, "it is active on " + where + " at once");
        find_rooms();
        std::vector<Want> wants;
        for (const auto& [name, facts] : survey_.domains)
            if (auto want = want_of(name, facts)) wants.push_back(std::move(*want));
        const Plan placed = plan_placement(rooms_, wants, question_.packing);
        settled_ = rooms_after(rooms_, wants, placed);
        for (const Placement& placement : placed.placements) add(placement);
        for (Refusal refusal : placed.refusals) explain(std::move(refusal));
        order();
        find_gaps();
        return std::move(plan_);
    }

    std::string first_outdated(const std::vector<PlannedMove>& moves) {
        find_rooms();
        for (const PlannedMove& move : moves) {
            const auto facts = survey_.domains.find(move.domain);
            const auto room = std::find_if(rooms_.begin(), rooms_.end(),
                                           [&](const Room& one) { return one.host == move.to; });
            if (facts == survey_.domains.end() || room == rooms_.end()) return move.domain;
            const auto want = want_of(move.domain, facts->second);
            if (!want || !takes(*room, *want)) return move.domain;
            room->free -= want->memory;
            room->standing.add(*want);
        }
        return {};
    }

  private:
    void refuse(RefusalKind kind, const std::string& domain, const std::string& text) {
        plan_.refusals.push_back({kind, domain, std::nullopt, std::nullopt, text});
    }

    void find_rooms() {
        for (const Host& host : question_.inventory.hosts) {
            const auto reading = survey_.hosts.find(host.name);
            if (reading == survey_.hosts.end() || !reading->second.view) continue;
            const bool is_goal = host.name == question_.host;
            if (is_goal != (question_.goal == MaintenancePhase::Returning)) continue;
            if (!is_goal && question_.closed.count(host.name) != 0) continue;
            Room room =
                room_on(question_.inventory, host, *reading->second.view, offers_of(host.name));
            room.free = room_for_moves(host, *reading->second.view);
            for (const auto& [domain, moving] : question_.moving) {
                if (moving.to != host.name || shows_active(*reading->second.view, domain)) continue;
                room.free -= moving.memory;
                if (const Domain* entry = question_.inventory.find_domain(domain))
                    room.standing.add(*entry, vcpus_of(domain));
            }
            rooms_.push_back(std::move(room));
        }
    }

    std::optional<Want> want_of(const std::string& name, const MoveFacts& facts) {
        const Domain* entry = question_.inventory.find_domain(name);
        if (entry == nullptr) {
            refuse(RefusalKind::NotListed, name, "it is not in the cluster file");
            return std::nullopt;
        }
        if (const std::string why = facts.objection(); !why.empty()) {
            refuse(RefusalKind::MoveNotAllowed, name, why);
            return std::nullopt;
        }
        std::string why;
        const auto way = choose_way(entry->move, facts, why);
        if (!way) {
            refuse(RefusalKind::MoveNotAllowed, name, why);
            return std::nullopt;
        }
        ways_[name] = *way;
        Want want = domkeeper::want_of(*entry, memory_needed(facts), facts.view.vcpus);
        if (question_.record != nullptr)
            if (const DomainRecord* known = question_.record->find_domain(name))
                add_defined_needs(want, known->xml);
        if (const auto avoid = question_.avoid.find(name); avoid != question_.avoid.end())
            want.avoid = avoid->second;
        for (const Room& room : rooms_)
            if (const auto blind = blindness(survey_, room.host, facts)) {
                want.avoid.insert(room.host);
                if (question_.inventory.may_run(*entry, room.host)) blind_[name].push_back(*blind);
            }
        return want;
    }

    void add(const Placement& placement) {
        const MoveFacts& facts = survey_.domains.at(placement.domain);
        const MoveWay way = ways_.at(placement.domain);
        std::string reason = placement.reason;
        if (way != MoveWay::Live) reason += "; not live: " + facts.why_not_live;
        plan_.moves.push_back(
            {placement.domain, facts.host, placement.host, way, placement.memory, reason});
    }

    void explain(Refusal refusal) {
        const auto blind = blind_.find(refusal.domain);
        if (refusal.kind == RefusalKind::NoAllowedHost && blind != blind_.end()) {
            refusal.kind = RefusalKind::DeviceUnseen;
            refusal.text = join(blind->second, "; ");
        } else if (blind != blind_.end()) {
            refusal.text += "; " + join(blind->second, "; ");
        }
        plan_.refusals.push_back(std::move(refusal));
    }

    /// The highest risk last: ways that stand still after those that don't, important domains
    /// after others, big ones after small ones. What goes wrong then shows where it costs least.
    void order() {
        const auto rank = [&](const PlannedMove& move) {
            return std::tuple(move.way, question_.inventory.find_domain(move.domain)->priority,
                              move.memory, move.domain);
        };
        std::sort(plan_.moves.begin(), plan_.moves.end(),
                  [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    }

    /// Asks the planner about the loss of each further host.
    void find_gaps() {
        if (question_.goal != MaintenancePhase::Evacuating) return;
        std::vector<HostLoad> loads;
        for (const Room& room : settled_)
            loads.push_back(
                {room.host, room.free, domains_then_on(room.host), true, room.standing});
        for (const HostLoad& load : loads)
            if (Loss loss = plan_loss(loads, {load.host}, {},
                                      {question_.packing, question_.inventory.policy.make_room});
                loss.first_refused() != nullptr)
                plan_.gaps.push_back(std::move(loss));
    }

    std::vector<Want> domains_then_on(const std::string& host) const {
        std::vector<Want> wants;
        const auto take = [&](const std::string& name, Bytes memory, int vcpus) {
            const Domain* entry = question_.inventory.find_domain(name);
            if (entry != nullptr && entry->restart == RestartPolicy::Always)
                wants.push_back(domkeeper::want_of(*entry, memory, vcpus));
        };
        for (const DomainView& domain : survey_.hosts.at(host).view->domains)
            if (is_active(domain.state))
                take(domain.name, std::max(domain.memory, domain.memory_max), domain.vcpus);
        for (const PlannedMove& move : plan_.moves)
            if (move.to == host)
                take(move.domain, move.memory, survey_.domains.at(move.domain).view.vcpus);
        return wants;
    }

    int vcpus_of(const std::string& domain) const {
        const DomainRecord* const known =
            question_.record == nullptr ? nullptr : question_.record->find_domain(domain);
        return known == nullptr ? 0 : known->vcpus;
    }
    Labels offers_of(const std::string& host) const {
        return question_.record == nullptr ? Labels{} : question_.record->offers_of(host);
    }

    const MaintenanceQuestion& question_;
    const Survey& survey_;
    std::vector<Room> rooms_;
    std::vector<Room> settled_;  ///< as they are after the moves
    std::map<std::string, MoveWay> ways_;
    std::map<std::string, std::vector<std::string>> blind_;
    MaintenancePlan plan_;
};

}  // namespace

Bytes room_for_moves(const Host& host, const HostView& view) {
    Bytes room = room_of(host, view);
    // libxl can't take memory back from anybody and does not say what was missing.
    if (is_xen(view) && view.memory_free) room = std::min(room, *view.memory_free);
    return room;
}

std::optional<std::string> blindness(const Survey& survey, const std::string& host,
                                     const MoveFacts& facts) {
    const auto known = survey.sights.find(host);
    for (const std::string& device : facts.devices) {
        DeviceSight sight;
        if (known != survey.sights.end())
            if (const auto found = known->second.find(device); found != known->second.end())
                sight = found->second;
        if (sight.sight == Sight::Seen) continue;
        const std::string what =
            host + (sight.sight == Sight::Unseen ? " does not see " : " can't say if it sees ") +
            printable(device);
        return sight.why.empty() ? what : what + " (" + sight.why + ")";
    }
    return std::nullopt;
}

bool is_xen(const HostView& view) {
    return starts_with(lower(view.hypervisor), "xen");
}

Bytes memory_needed(const MoveFacts& facts) {
    return std::max(facts.view.memory, facts.view.memory_max) + facts.overhead;
}

std::optional<MoveWay> choose_way(MovePolicy policy, const MoveFacts& facts, std::string& why) {
    if (policy == MovePolicy::Never) {
        why = "the cluster file says move = \"never\"";
        return std::nullopt;
    }
    if (facts.can_live) return MoveWay::Live;
    if (policy == MovePolicy::Live) {
        why = "it can't be moved live: " + facts.why_not_live +
              "; the cluster file allows nothing " + "else (move = \"" +
              (facts.can_pause ? "paused" : "restart") + "\" would)";
        return std::nullopt;
    }
    if (facts.can_pause) return MoveWay::Paused;
    if (policy == MovePolicy::Paused) {
        why = "it can't be moved live (" + facts.why_not_live + ") nor paused (" +
              facts.why_not_pause + "); the cluster file does not allow a restart";
        return std::nullopt;
    }
    return MoveWay::Restart;
}

MaintenancePlan plan_moves(const MaintenanceQuestion& question, const Survey& survey) {
    return Maker(question, survey).make();
}

std::string outdated_move(const MaintenanceQuestion& question, const Survey& survey,
                          const std::vector<PlannedMove>& moves) {
    return Maker(question, survey).first_outdated(moves);
}

}  // namespace domkeeper
