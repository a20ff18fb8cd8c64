// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/planner.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

bool allowed(const Want& want, const std::string& host) {
    if (want.avoid.count(host) != 0) return false;
    return want.hosts.empty() ||
           std::find(want.hosts.begin(), want.hosts.end(), host) != want.hosts.end();
}

/// Which of the hosts with enough room gets the domain.
enum class Fit { Worst, Best, First };

Room* choose(std::vector<Room>& rooms, const Want& want, Fit fit) {
    Room* best = nullptr;
    for (Room& room : rooms) {
        if (!allowed(want, room.host) || room.free < want.memory) continue;
        const bool better = best == nullptr || (fit == Fit::Worst && room.free > best->free) ||
                            (fit == Fit::Best && room.free < best->free);
        if (better) best = &room;
    }
    return best;
}

Refusal refuse(const std::vector<Room>& rooms, const Want& want) {
    Refusal refusal;
    refusal.domain = want.domain;
    const Room* most = nullptr;
    for (const Room& room : rooms)
        if (allowed(want, room.host) && (most == nullptr || room.free > most->free)) most = &room;
    if (most == nullptr) {
        refusal.kind = RefusalKind::NoAllowedHost;
        refusal.text =
            want.avoid.empty() ? "no living host may run it" : "no further living host may run it";
        return refusal;
    }
    refusal.kind = RefusalKind::NotEnoughMemory;
    refusal.need = want.memory;
    refusal.have = most->free;
    refusal.text = "needs " + render_bytes(want.memory) + ", the most that is left is " +
                   render_bytes(std::max(most->free, Bytes{0})) + " on " + most->host;
    return refusal;
}

std::vector<Want> in_order(std::vector<Want> wants) {
    std::sort(wants.begin(), wants.end(), [](const Want& a, const Want& b) {
        if (a.priority != b.priority) return a.priority > b.priority;
        if (a.memory != b.memory) return a.memory > b.memory;
        return a.domain < b.domain;
    });
    return wants;
}

Plan pack(std::vector<Room> rooms, const std::vector<Want>& wants, Fit fit) {
    Plan plan;
    for (const Want& want : wants) {
        Room* room = choose(rooms, want, fit);
        if (room == nullptr) {
            plan.refusals.push_back(refuse(rooms, want));
            continue;
        }
        plan.placements.push_back({want.domain, room->host, want.memory,
                                   render_bytes(room->free) + " free on " + room->host +
                                       ", needs " + render_bytes(want.memory)});
        room->free -= want.memory;
    }
    return plan;
}

/// The order of the wanted domains is that of their importance: the plan whose first refused
/// domain comes later is the better one, then the one that refuses fewer.
bool better_plan(const Plan& a, const Plan& b, const std::vector<Want>& wants) {
    const auto refused = [](const Plan& plan, const std::string& domain) {
        return std::any_of(plan.refusals.begin(), plan.refusals.end(),
                           [&](const Refusal& r) { return r.domain == domain; });
    };
    for (std::size_t i = 0; i < wants.size();) {
        std::size_t placed_a = 0, placed_b = 0, end = i;
        for (; end < wants.size() && wants[end].priority == wants[i].priority; ++end) {
            placed_a += refused(a, wants[end].domain) ? 0U : 1U;
            placed_b += refused(b, wants[end].domain) ? 0U : 1U;
        }
        if (placed_a != placed_b) return placed_a > placed_b;
        i = end;
    }
    return false;
}

}  // namespace

std::string_view refusal_kind_name(RefusalKind kind) {
    switch (kind) {
        case RefusalKind::NotListed: return "not-listed";
        case RefusalKind::PolicyNever: return "policy-never";
        case RefusalKind::NoDefinition: return "no-definition";
        case RefusalKind::NoAllowedHost: return "no-allowed-host";
        case RefusalKind::NotEnoughMemory: return "not-enough-memory";
        case RefusalKind::Disarmed: return "disarmed";
        case RefusalKind::PeerUnseen: return "peer-unseen";
        case RefusalKind::HostReturned: return "host-returned";
        case RefusalKind::StartFailed: return "start-failed";
        case RefusalKind::StartUnknown: return "start-unknown";
        case RefusalKind::NotStable: return "not-stable";
        case RefusalKind::NotCovered: return "not-covered";
        case RefusalKind::OtherIncident: return "other-incident";
    }
    return "start-failed";
}

Bytes room_of(const Host& host, const HostView& view) {
    Bytes free = host.memory.value_or(view.memory_total) - host.reserve;
    for (const DomainView& domain : view.domains)
        if (is_active(domain.state)) free -= std::max(domain.memory, domain.memory_max);
    if (!host.memory && view.memory_free) free = std::min(free, *view.memory_free - host.reserve);
    return free;
}

Plan plan_placement(const std::vector<Room>& rooms, const std::vector<Want>& wants) {
    const std::vector<Want> ordered = in_order(wants);
    Plan best = pack(rooms, ordered, Fit::Worst);
    for (const Fit fit : {Fit::Best, Fit::First}) {
        if (best.refusals.empty()) break;
        Plan other = pack(rooms, ordered, fit);
        if (better_plan(other, best, ordered)) best = std::move(other);
    }
    return best;
}

}  // namespace domkeeper
