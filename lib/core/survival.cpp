// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/survival.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

Bytes missing(const Loss& loss) {
    Bytes sum;
    for (const Refusal& refusal : loss.plan.refusals)
        if (refusal.need) sum += *refusal.need;
    return sum;
}

const Want* find_want(const Loss& loss, const std::string& domain) {
    const auto found = std::find_if(loss.wants.begin(), loss.wants.end(),
                                    [&](const Want& want) { return want.domain == domain; });
    return found == loss.wants.end() ? nullptr : &*found;
}

int priority_of(const Loss& loss) {
    const Want* const want = find_want(loss, loss.first_refused()->domain);
    return want == nullptr ? 0 : want->priority;
}

/// Of two failing losses, by their most important domains, then by what is missing.
bool is_worse(const Loss& a, const Loss& b) {
    if (priority_of(a) != priority_of(b)) return priority_of(a) > priority_of(b);
    if (a.refused() != b.refused()) return a.refused() > b.refused();
    return missing(a) > missing(b);
}

/// No loss is counted for best-effort domains and those for which others make room.
bool stays_down(const Loss& loss, const Refusal& refusal) {
    const Want* const want = find_want(loss, refusal.domain);
    return (want == nullptr || want->domain_class != DomainClass::BestEffort) &&
           std::none_of(loss.stops.begin(), loss.stops.end(),
                        [&](const Stop& stop) { return stop.for_domain == refusal.domain; });
}

/// What the definitions need, where the hosts differ in what they offer: else it decides nothing.
class DefinedNeeds {
  public:
    explicit DefinedNeeds(const ClusterRecord& record) {
        for (const HostRecord& host : record.hosts)
            differ_ = differ_ || host.offers != record.hosts.front().offers;
        if (!differ_) return;
        for (const DomainRecord& domain : record.domains) known_.emplace(domain.name, &domain);
    }

    void add_to(Want& want) const {
        const auto found = known_.find(want.domain);
        if (found != known_.end()) add_defined_needs(want, found->second->xml);
    }

  private:
    bool differ_ = false;
    std::unordered_map<std::string_view, const DomainRecord*> known_;
};

/// The next set of indices below `count` in dictionary order; false after the last.
bool next_set(std::vector<std::size_t>& chosen, std::size_t count) {
    for (std::size_t i = chosen.size(); i-- > 0;) {
        if (chosen[i] == count - chosen.size() + i) continue;
        ++chosen[i];
        std::iota(chosen.begin() + static_cast<std::ptrdiff_t>(i) + 1, chosen.end(), chosen[i] + 1);
        return true;
    }
    return false;
}

}  // namespace

const Refusal* Loss::first_refused() const {
    // The planner refuses in the order of importance.
    const auto found =
        std::find_if(plan.refusals.begin(), plan.refusals.end(),
                     [&](const Refusal& refusal) { return stays_down(*this, refusal); });
    return found == plan.refusals.end() ? nullptr : &*found;
}

std::size_t Loss::refused() const {
    return static_cast<std::size_t>(
        std::count_if(plan.refusals.begin(), plan.refusals.end(),
                      [&](const Refusal& refusal) { return stays_down(*this, refusal); }));
}

std::vector<HostLoad> loads_of(const Inventory& inventory,
                               const std::map<std::string, HostView>& views,
                               const ClusterRecord& record) {
    std::unordered_map<std::string_view, const Domain*> listed;
    for (const Domain& domain : inventory.domains) listed.emplace(domain.name, &domain);
    std::unordered_map<std::string_view, std::vector<const DomainRecord*>> recorded;
    for (const DomainRecord& domain : record.domains) recorded[domain.host].push_back(&domain);
    const DefinedNeeds needs(record);
    std::vector<HostLoad> loads;
    for (const Host& host : inventory.hosts) {
        HostLoad load;
        load.host = host.name;
        const auto add = [&](const std::string& name, DomainState state, Bytes memory, int vcpus) {
            const auto found = listed.find(name);
            if (!is_active(state) || found == listed.end()) return;
            const Domain& domain = *found->second;
            load.standing.add(domain, 0);
            if (domain.restart != RestartPolicy::Always) return;
            load.domains.push_back(want_of(domain, memory, vcpus));
            needs.add_to(load.domains.back());
        };
        const auto view = views.find(host.name);
        load.open = view != views.end();
        if (load.open) {
            load.free = room_of(host, view->second);
            load.standing.vcpus = vcpus_left(inventory, host, view->second);
            load.standing.offers = all_offers(host.offers, record.offers_of(host.name));
            for (const DomainView& domain : view->second.domains)
                add(domain.name, domain.state, std::max(domain.memory, domain.memory_max),
                    domain.vcpus);
        } else {
            for (const DomainRecord* domain : recorded[host.name])
                add(domain->name, domain->state, domain->memory, domain->vcpus);
        }
        loads.push_back(std::move(load));
    }
    return loads;
}

Loss plan_loss(const std::vector<HostLoad>& loads, const std::vector<std::string>& lost,
               std::vector<Want> added, const PlacingManner& manner) {
    const std::set<std::string> gone(lost.begin(), lost.end());
    Loss loss{lost, std::move(added), {}};
    std::vector<Room> rooms;
    for (const HostLoad& load : loads) {
        if (gone.count(load.host) == 0 && load.open)
            rooms.push_back({load.host, load.free, load.standing});
        else if (gone.count(load.host) != 0)
            loss.wants.insert(loss.wants.end(), load.domains.begin(), load.domains.end());
    }
    loss.plan = plan_placement(rooms, loss.wants, manner.search, manner.thorough);
    if (manner.make_room == MakeRoom::StopBestEffort && !loss.plan.refusals.empty()) {
        std::vector<Stoppable> stoppable;
        for (const HostLoad& load : loads)
            if (load.open && gone.count(load.host) == 0)
                for (const Want& want : load.domains)
                    if (want.domain_class == DomainClass::BestEffort)
                        stoppable.push_back(
                            {want.domain, load.host, want.memory, want.vcpus, want.priority});
        loss.stops = plan_stops(std::move(rooms), loss.wants, loss.plan, stoppable);
    }
    return loss;
}

std::vector<HostLoad> loads_after(const std::vector<HostLoad>& loads, const Loss& loss) {
    const std::set<std::string> gone(loss.lost.begin(), loss.lost.end());
    std::vector<HostLoad> after;
    for (HostLoad load : loads) {
        if (gone.count(load.host) != 0) continue;
        for (const Placement& placement : loss.plan.placements) {
            if (placement.host != load.host) continue;
            load.free -= placement.memory;
            const Want* const want = find_want(loss, placement.domain);
            if (want == nullptr) continue;
            load.domains.push_back(*want);
            load.standing.add(*want);
        }
        after.push_back(std::move(load));
    }
    return after;
}

Survival survive_any(const std::vector<HostLoad>& loads, std::size_t hosts,
                     const PlacingManner& manner, std::size_t most_cases) {
    std::vector<std::string> open;
    for (const HostLoad& load : loads)
        if (load.open) open.push_back(load.host);
    PlacingManner quick = manner;
    quick.thorough = false;
    Survival survival;
    if (open.size() < 2 || hosts == 0) return survival;
    survival.hosts = std::min(hosts, open.size() - 1);
    std::vector<std::size_t> chosen(survival.hosts);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    do {
        if (survival.cases == most_cases) {
            survival.complete = false;
            break;
        }
        ++survival.cases;
        std::vector<std::string> lost;
        for (const std::size_t index : chosen) lost.push_back(open[index]);
        Loss loss = plan_loss(loads, lost, {}, quick);
        if (loss.first_refused() == nullptr) continue;
        ++survival.failing;
        if (!survival.worst || is_worse(loss, *survival.worst)) survival.worst = std::move(loss);
    } while (next_set(chosen, open.size()));
    return survival;
}

bool WhatIfAnswer::all_fit() const {
    return change.first_refused() == nullptr && survival.failing == 0 &&
           std::all_of(losses.begin(), losses.end(),
                       [](const Loss& loss) { return loss.first_refused() == nullptr; });
}

WhatIfAnswer answer_what_if(const std::vector<HostLoad>& loads, const WhatIf& question,
                            const PlacingManner& manner) {
    WhatIfAnswer answer;
    answer.change = plan_loss(loads, question.without, question.added, manner);
    answer.loads = loads_after(loads, answer.change);
    if (!question.lost.empty()) {
        answer.losses.push_back(plan_loss(answer.loads, question.lost, {}, manner));
        return answer;
    }
    for (const HostLoad& load : answer.loads)
        if (load.open) answer.losses.push_back(plan_loss(answer.loads, {load.host}, {}, manner));
    answer.survival = survive_any(answer.loads, question.survive, manner);
    return answer;
}

std::string explain_loss(const Loss& loss) {
    const Refusal* const first = loss.first_refused();
    if (first == nullptr) return {};
    std::string text = "if " + join(loss.lost, " and ") + " were lost, " +
                       printable(first->domain, 64) + " would stay down: " + first->text;
    if (first->need && first->have)
        text += "; " + render_bytes(*first->need - std::max(*first->have, Bytes{0})) +
                " more there would do";
    else if (first->kind == RefusalKind::NeedUnmet)
        text += "; give another host what it needs";
    else if (first->kind == RefusalKind::NoAllowedHost)
        text += "; let it run on another host, or set restart = \"never\"";
    const std::size_t others = loss.refused() - 1;
    if (others != 0) text += " (and " + counted(others, "more domain") + ")";
    return text;
}

}  // namespace domkeeper
