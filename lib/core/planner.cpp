// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/planner.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Whether the host is one of the want's, whoever else is there.
bool is_allowed(const Want& want, const std::string& host) {
    return want.avoid.count(host) == 0 && (want.hosts.empty() || contains(want.hosts, host));
}

bool none_there(const std::vector<std::string>& groups, const std::set<std::string>& there) {
    return std::none_of(groups.begin(), groups.end(),
                        [&](const auto& group) { return there.count(group) != 0; });
}

bool has_cpus(const Want& want, const Room& room) {
    return !room.standing.vcpus || want.vcpus <= *room.standing.vcpus;
}

std::vector<Want> in_order(const std::vector<Want>& wants) {
    std::vector<const Want*> order;
    order.reserve(wants.size());
    for (const Want& want : wants) order.push_back(&want);
    std::sort(order.begin(), order.end(), [](const Want* a, const Want* b) {
        if (a->priority != b->priority) return a->priority > b->priority;
        if (a->memory != b->memory) return a->memory > b->memory;
        return a->domain < b->domain;
    });
    std::vector<Want> ordered;
    ordered.reserve(wants.size());
    for (const Want* want : order) ordered.push_back(*want);
    return ordered;
}

/// Turns names into numbers.
class Numbering {
  public:
    Numbering(const std::vector<Room>& rooms, const std::vector<Want>& wants)
        : rooms_(rooms), wants_(wants) {
        constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max() / 4;
        for (const Room& room : rooms)
            problem_.boxes.push_back(
                {room.free.count, room.standing.vcpus ? *room.standing.vcpus : no_limit});
        problem_.masks.emplace_back(rooms.size(), 1);
    }

    PackingProblem take() {
        problem_.items.reserve(wants_.size());
        for (const Want& want : wants_) add(want);
        stand(apart_, problem_.apart, &Standing::apart);
        stand(rather_apart_, problem_.rather_apart, &Standing::rather_apart);
        stand(rather_together_, problem_.rather_together, &Standing::rather_together);
        problem_.together_groups = together_.size();
        return std::move(problem_);
    }

  private:
    using Numbers = std::unordered_map<std::string, std::size_t>;
    using Names = std::vector<std::string>;

    static std::vector<std::size_t> numbers(Numbers& known, const Names& names) {
        std::vector<std::size_t> out;
        for (const std::string& name : names) {
            const std::size_t number = known.emplace(name, known.size()).first->second;
            if (std::find(out.begin(), out.end(), number) == out.end()) out.push_back(number);
        }
        return out;
    }

    void add(const Want& want) {
        PackingProblem::Item item;
        item.size = want.memory.count;
        item.vcpus = want.vcpus;
        item.rank = want.priority;
        item.apart = numbers(apart_, want.apart);
        item.together = numbers(together_, want.together);
        item.rather_apart = numbers(rather_apart_, want.rather_apart);
        item.rather_together = numbers(rather_together_, want.rather_together);
        item.mask = mask_of(want);
        if (!want.prefer.empty()) item.prefer = hosts_mask(want.prefer);
        problem_.items.push_back(std::move(item));
    }

    void stand(const Numbers& groups, PackingProblem::Standing& standing,
               std::set<std::string> Standing::*there) {
        standing.assign(groups.size(), std::vector<int>(rooms_.size(), 0));
        for (const auto& [name, number] : groups)
            for (std::size_t room = 0; room < rooms_.size(); ++room)
                if ((rooms_[room].standing.*there).count(name) != 0) standing[number][room] = 1;
    }

    /// Where its rules let it go; of together groups that stand somewhere, there alone.
    std::size_t mask_of(const Want& want) {
        Names anchors;
        for (const std::string& group : want.together)
            if (is_anchored(group)) anchors.push_back(group);
        if (want.hosts.empty() && want.avoid.empty() && want.needs.empty() && anchors.empty())
            return 0;
        std::vector<char> mask(rooms_.size(), 0);
        for (std::size_t room = 0; room < rooms_.size(); ++room) {
            const Standing& standing = rooms_[room].standing;
            const bool beside = std::all_of(anchors.begin(), anchors.end(), [&](const auto& g) {
                return standing.together.count(g) != 0;
            });
            mask[room] = beside && is_allowed(want, rooms_[room].host) &&
                                 unmet_need(want.needs, standing.offers) == nullptr
                             ? 1
                             : 0;
        }
        return number_of(std::move(mask));
    }

    std::size_t hosts_mask(const Names& hosts) {
        std::vector<char> mask(rooms_.size(), 0);
        for (std::size_t room = 0; room < rooms_.size(); ++room)
            if (contains(hosts, rooms_[room].host)) mask[room] = 1;
        return number_of(std::move(mask));
    }

    std::size_t number_of(std::vector<char> mask) {
        const auto [found, fresh] = masks_.emplace(std::move(mask), problem_.masks.size());
        if (fresh) problem_.masks.push_back(found->first);
        return found->second;
    }

    bool is_anchored(const std::string& group) {
        const auto [found, fresh] = anchored_.emplace(group, false);
        if (fresh)
            found->second = std::any_of(rooms_.begin(), rooms_.end(), [&](const Room& room) {
                return room.standing.together.count(group) != 0;
            });
        return found->second;
    }

    const std::vector<Room>& rooms_;
    const std::vector<Want>& wants_;
    PackingProblem problem_;
    Numbers apart_, together_, rather_apart_, rather_together_;
    std::map<std::vector<char>, std::size_t> masks_;
    std::unordered_map<std::string, bool> anchored_;
};

void settle(Room& room, const Want& want) {
    room.free -= want.memory;
    room.standing.add(want);
}

/// Says why, with the rooms as all that was placed leaves them.
Refusal refuse(const std::vector<Room>& rooms, const Want& want) {
    Refusal refusal;
    refusal.domain = want.domain;
    const auto say = [&](RefusalKind kind, std::string text) {
        refusal.kind = kind;
        refusal.text = std::move(text);
        return refusal;
    };
    std::vector<const Room*> left;
    for (const Room& room : rooms)
        if (is_allowed(want, room.host)) left.push_back(&room);
    if (left.empty())
        return say(RefusalKind::NoAllowedHost, want.avoid.empty()
                                                   ? "no living host may run it"
                                                   : "no further living host may run it");
    const std::string* unmet = nullptr;
    std::erase_if(left, [&](const Room* room) {
        const std::string* need = unmet_need(want.needs, room->standing.offers);
        if (need != nullptr) unmet = need;
        return need != nullptr;
    });
    if (left.empty())
        return say(RefusalKind::NeedUnmet, "no living host that may run it offers " + *unmet);
    std::erase_if(left,
                  [&](const Room* room) { return !none_there(want.apart, room->standing.apart); });
    if (left.empty())
        return say(RefusalKind::Apart,
                   "each living host that may run it has a domain of its apart group " +
                       join(want.apart, " or "));
    std::string beside;
    for (const std::string& group : want.together) {
        const auto has = [&](const Room& room) { return room.standing.together.count(group) != 0; };
        if (std::none_of(rooms.begin(), rooms.end(), has)) continue;
        std::erase_if(left, [&](const Room* room) { return !has(*room); });
        beside = group;
    }
    if (left.empty())
        return say(RefusalKind::Together,
                   "its together group " + beside + " is on a host that can't take it");
    const Room* most = left.front();
    bool some_cpus = false;
    for (const Room* room : left) {
        if (room->free > most->free) most = room;
        some_cpus = some_cpus || (room->free >= want.memory && has_cpus(want, *room));
    }
    const std::string where =
        beside.empty() ? std::string() : " (it must be with its together group " + beside + ")";
    if (most->free >= want.memory && !some_cpus)
        return say(RefusalKind::NotEnoughCpus,
                   "needs " + counted(static_cast<std::size_t>(want.vcpus), "virtual CPU") +
                       "; no host with the memory may give out so many" + where);
    refusal.need = want.memory;
    refusal.have = most->free;
    return say(beside.empty() ? RefusalKind::NotEnoughMemory : RefusalKind::Together,
               "needs " + render_bytes(want.memory) + ", the most that is left is " +
                   render_bytes(std::max(most->free, Bytes{0})) + " on " + most->host + where);
}

std::string reason_of(const Want& want, const Room& room) {
    std::string text =
        render_bytes(room.free) + " free on " + room.host + ", needs " + render_bytes(want.memory);
    if (room.standing.vcpus && want.vcpus > 0)
        text += "; " + std::to_string(*room.standing.vcpus) + " virtual CPUs free, needs " +
                std::to_string(want.vcpus);
    const auto shared = [](const std::vector<std::string>& groups,
                           const std::set<std::string>& there) {
        std::vector<std::string> both;
        for (const std::string& group : groups)
            if (there.count(group) != 0) both.push_back(group);
        return join(both, ", ");
    };
    if (const auto group = shared(want.together, room.standing.together); !group.empty())
        text += "; with its together group " + group;
    if (!want.prefer.empty()) {
        if (contains(want.prefer, room.host))
            text += "; preferred";
        else
            text += "; no preferred host has room";
    }
    if (const auto group = shared(want.rather_together, room.standing.rather_together);
        !group.empty())
        text += "; beside group " + group;
    if (const auto group = shared(want.rather_apart, room.standing.rather_apart); !group.empty())
        text += "; although group " + group + " is there, which it should rather be apart from";
    return text;
}

Plan plan_of(std::vector<Room> rooms, const std::vector<Want>& wants,
             const Assignment& assignment) {
    Plan plan;
    std::vector<const Want*> refused;
    for (std::size_t i = 0; i < wants.size(); ++i) {
        const std::size_t box = assignment[i];
        if (box == nowhere) {
            refused.push_back(&wants[i]);
            continue;
        }
        plan.placements.push_back(
            {wants[i].domain, rooms[box].host, wants[i].memory, reason_of(wants[i], rooms[box])});
        settle(rooms[box], wants[i]);
    }
    for (const Want* want : refused) plan.refusals.push_back(refuse(rooms, *want));
    return plan;
}

}  // namespace

bool may_go(const Want& want, const Room& room) {
    return is_allowed(want, room.host) && none_there(want.apart, room.standing.apart) &&
           unmet_need(want.needs, room.standing.offers) == nullptr;
}

bool takes(const Room& room, const Want& want) {
    return may_go(want, room) && want.memory <= room.free && has_cpus(want, room);
}

PackingProblem problem_of(const std::vector<Room>& rooms, const std::vector<Want>& wants) {
    return Numbering(rooms, wants).take();
}

Plan plan_placement(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                    const PackingSearch& search, bool thorough) {
    const std::vector<Want> ordered = in_order(wants);
    const PackingProblem problem = problem_of(rooms, ordered);
    Assignment best = pack_quickly(problem, thorough);
    bool proven = is_surely_best(problem, best);
    if (!proven && search) {
        const auto found = search(problem, best);
        // A faulty search is not believed.
        if (found && is_sound(problem, found->assignment)) {
            if (places_more(problem, found->assignment, best)) best = found->assignment;
            proven = found->proven;
        }
    }
    Plan plan = plan_of(rooms, ordered, with_more_wishes(problem, best));
    for (Refusal& refusal : plan.refusals)
        if (search && (refusal.kind == RefusalKind::NotEnoughMemory ||
                       refusal.kind == RefusalKind::NotEnoughCpus))
            refusal.text += proven ? "; no other packing has room for it"
                                   : "; the search for a better packing was given up";
    return plan;
}

std::vector<Room> rooms_after(std::vector<Room> rooms, const std::vector<Want>& wants,
                              const Plan& plan) {
    std::unordered_map<std::string, Room*> by_host;
    for (Room& room : rooms) by_host.emplace(room.host, &room);
    std::unordered_map<std::string, const Want*> by_domain;
    for (const Want& want : wants) by_domain.emplace(want.domain, &want);
    for (const Placement& placement : plan.placements)
        settle(*by_host.at(placement.host), *by_domain.at(placement.domain));
    return rooms;
}

std::vector<Stop> plan_stops(std::vector<Room> rooms, const std::vector<Want>& wants,
                             const Plan& plan, const std::vector<Stoppable>& stoppable) {
    rooms = rooms_after(std::move(rooms), wants, plan);
    std::map<std::string, std::vector<Stoppable>> there;
    for (const Stoppable& each : stoppable) there[each.host].push_back(each);
    for (auto& [host, list] : there)
        std::sort(list.begin(), list.end(), [](const Stoppable& a, const Stoppable& b) {
            if (a.priority != b.priority) return a.priority < b.priority;
            if (a.memory != b.memory) return a.memory > b.memory;
            return a.domain < b.domain;
        });
    const auto enough = [](const Want& want, const Room& room, const std::vector<Stoppable>& list) {
        Room freed = room;
        for (const Stoppable& each : list) {
            freed.free += each.memory;
            if (freed.standing.vcpus) *freed.standing.vcpus += each.vcpus;
        }
        return freed.free >= want.memory && has_cpus(want, freed);
    };
    std::vector<Stop> stops;
    for (const Refusal& refusal : plan.refusals) {
        const auto want = std::find_if(wants.begin(), wants.end(), [&](const Want& each) {
            return each.domain == refusal.domain;
        });
        if (want == wants.end() || want->domain_class != DomainClass::MustRun) continue;
        Room* best = nullptr;
        std::vector<Stoppable> best_list;
        for (Room& room : rooms) {
            const auto found = there.find(room.host);
            if (found == there.end() || !may_go(*want, room)) continue;
            const bool beside = std::all_of(
                want->together.begin(), want->together.end(), [&](const std::string& group) {
                    return room.standing.together.count(group) != 0 ||
                           std::none_of(rooms.begin(), rooms.end(), [&](const Room& other) {
                               return other.standing.together.count(group) != 0;
                           });
                });
            if (!beside) continue;
            std::vector<Stoppable> list;
            for (const Stoppable& each : found->second) {
                if (enough(*want, room, list)) break;
                list.push_back(each);
            }
            if (!enough(*want, room, list)) continue;
            // Whoever turns out not to be needed stays, the more important ones first.
            for (std::size_t k = list.size(); k-- > 0;) {
                std::vector<Stoppable> fewer = list;
                fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(k));
                if (enough(*want, room, fewer)) list = std::move(fewer);
            }
            const auto cost = [](const std::vector<Stoppable>& each) {
                Bytes sum;
                for (const Stoppable& one : each) sum += one.memory;
                return std::tuple(each.empty() ? 0 : each.back().priority, each.size(), sum);
            };
            if (best != nullptr && cost(best_list) <= cost(list)) continue;
            best = &room;
            best_list = std::move(list);
        }
        if (best == nullptr) continue;
        for (const Stoppable& each : best_list) {
            best->free += each.memory;
            if (best->standing.vcpus) *best->standing.vcpus += each.vcpus;
            stops.push_back({each, want->domain});
            std::erase_if(there[best->host],
                          [&](const Stoppable& other) { return other.domain == each.domain; });
        }
        settle(*best, *want);
    }
    return stops;
}

}  // namespace domkeeper
