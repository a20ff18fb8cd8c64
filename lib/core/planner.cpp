// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/planner.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Whether the host is one of the want's, whoever else is there.
bool is_allowed(const Want& want, const std::string& host) {
    return want.avoid.count(host) == 0 && (want.hosts.empty() || contains(want.hosts, host));
}

/// Which of the hosts with enough room gets the domain.
enum class Fit { Worst, Best, First };

Room* choose(std::vector<Room>& rooms, const Want& want, Fit fit) {
    // Most domains have no rules; of the others the names are compared only where it matters.
    const bool free_choice = want.avoid.empty() && want.hosts.empty() && want.apart.empty();
    Room* best = nullptr;
    bool best_preferred = false;
    for (Room& room : rooms) {
        const std::int64_t free = room.free.count;
        if (free < want.memory.count) continue;
        const bool roomier = best == nullptr || (fit == Fit::Worst && free > best->free.count) ||
                             (fit == Fit::Best && free < best->free.count);
        if (!roomier && (want.prefer.empty() || best_preferred)) continue;
        const bool preferred = !want.prefer.empty() && contains(want.prefer, room.host);
        const bool better = best == nullptr || (preferred == best_preferred ? roomier : preferred);
        if (!better || !(free_choice || may_go(want, room))) continue;
        best = &room;
        best_preferred = preferred;
    }
    return best;
}

Refusal refuse(const std::vector<Room>& rooms, const Want& want) {
    Refusal refusal;
    refusal.domain = want.domain;
    const Room* most = nullptr;
    for (const Room& room : rooms)
        if (may_go(want, room) && (most == nullptr || room.free > most->free)) most = &room;
    if (most == nullptr && std::any_of(rooms.begin(), rooms.end(), [&](const Room& room) {
            return is_allowed(want, room.host);
        })) {
        refusal.kind = RefusalKind::Apart;
        refusal.text = "each living host that may run it has a domain of its apart group " +
                       join(want.apart, " or ");
        return refusal;
    }
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

/// `choose_room(rooms, i)` says where wants[i] goes, or null.
template <typename Choose>
Plan pack(std::vector<Room> rooms, const std::vector<Want>& wants, const Choose& choose_room) {
    Plan plan;
    for (std::size_t i = 0; i < wants.size(); ++i) {
        const Want& want = wants[i];
        Room* const room = choose_room(rooms, i);
        if (room == nullptr) {
            plan.refusals.push_back(refuse(rooms, want));
            continue;
        }
        plan.placements.push_back({want.domain, room->host, want.memory,
                                   render_bytes(room->free) + " free on " + room->host +
                                       ", needs " + render_bytes(want.memory)});
        room->free -= want.memory;
        room->apart.insert(want.apart.begin(), want.apart.end());
    }
    return plan;
}

Plan pack(const std::vector<Room>& rooms, const std::vector<Want>& wants, Fit fit) {
    return pack(rooms, wants, [&](std::vector<Room>& left, std::size_t i) {
        return choose(left, wants[i], fit);
    });
}

/// How many wants come before the priority of the first refused one: all of them are placed.
std::size_t sure_wants(const Plan& plan, const std::vector<Want>& wants) {
    const auto first = std::find_if(wants.begin(), wants.end(), [&](const Want& want) {
        return want.domain == plan.refusals.front().domain;
    });
    return static_cast<std::size_t>(
        std::count_if(wants.begin(), wants.end(),
                      [&](const Want& want) { return want.priority > first->priority; }));
}

/// The plan of a found packing; empty when it breaks a rule, which only a faulty search does.
std::optional<Plan> plan_of(const Packing& packing, const std::vector<Room>& rooms,
                            const std::vector<Want>& wants) {
    bool sound = packing.rooms.size() == wants.size();
    Plan plan;
    if (sound)
        plan = pack(rooms, wants, [&](std::vector<Room>& left, std::size_t i) -> Room* {
            const std::optional<std::size_t> index = packing.rooms[i];
            if (!index) return nullptr;
            Room* const room = *index < left.size() ? &left[*index] : nullptr;
            if (room == nullptr || !may_go(wants[i], *room) || room->free < wants[i].memory)
                sound = false;
            return sound ? room : nullptr;
        });
    if (!sound) return std::nullopt;
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

Want want_of(const Domain& domain, Bytes memory) {
    return {domain.name, memory, domain.priority, domain.hosts, {}, domain.apart, domain.prefer};
}

bool may_go(const Want& want, const Room& room) {
    return is_allowed(want, room.host) &&
           std::none_of(want.apart.begin(), want.apart.end(),
                        [&](const std::string& group) { return room.apart.count(group) != 0; });
}

std::string_view refusal_kind_name(RefusalKind kind) {
    switch (kind) {
        case RefusalKind::NotListed: return "not-listed";
        case RefusalKind::PolicyNever: return "policy-never";
        case RefusalKind::NoDefinition: return "no-definition";
        case RefusalKind::NoAllowedHost: return "no-allowed-host";
        case RefusalKind::Apart: return "apart";
        case RefusalKind::NotEnoughMemory: return "not-enough-memory";
        case RefusalKind::Disarmed: return "disarmed";
        case RefusalKind::PeerUnseen: return "peer-unseen";
        case RefusalKind::HostReturned: return "host-returned";
        case RefusalKind::StartFailed: return "start-failed";
        case RefusalKind::StartUnknown: return "start-unknown";
        case RefusalKind::NotStable: return "not-stable";
        case RefusalKind::NoAnswer: return "no-answer";
        case RefusalKind::NotCovered: return "not-covered";
        case RefusalKind::StorageDown: return "storage-down";
        case RefusalKind::OtherIncident: return "other-incident";
        case RefusalKind::MoveNotAllowed: return "move-not-allowed";
        case RefusalKind::DeviceUnseen: return "device-unseen";
        case RefusalKind::MoveFailed: return "move-failed";
        case RefusalKind::MoveUnknown: return "move-unknown";
        case RefusalKind::RunsTwice: return "runs-twice";
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

std::set<std::string> apart_groups(const Inventory& inventory, const HostView& view) {
    std::set<std::string> groups;
    for (const DomainView& domain : view.domains)
        if (const Domain* entry = inventory.find_domain(domain.name);
            entry != nullptr && is_active(domain.state))
            groups.insert(entry->apart.begin(), entry->apart.end());
    return groups;
}

Plan plan_placement(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                    const PackingSearch& search) {
    const std::vector<Want> ordered = in_order(wants);
    Plan best = pack(rooms, ordered, Fit::Worst);
    for (const Fit fit : {Fit::Best, Fit::First}) {
        if (best.refusals.empty()) break;
        Plan other = pack(rooms, ordered, fit);
        if (better_plan(other, best, ordered)) best = std::move(other);
    }
    if (best.refusals.empty() || !search) return best;
    const auto found = search(rooms, ordered, sure_wants(best, ordered));
    const auto searched = found ? plan_of(*found, rooms, ordered) : std::nullopt;
    if (searched && better_plan(*searched, best, ordered)) best = *searched;
    const bool proven = searched && found->proven;
    for (Refusal& refusal : best.refusals)
        if (refusal.kind == RefusalKind::NotEnoughMemory)
            refusal.text += proven ? "; no other packing has room for it"
                                   : "; the search for a better packing was given up";
    return best;
}

}  // namespace domkeeper
