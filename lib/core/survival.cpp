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
    if (a.plan.refusals.size() != b.plan.refusals.size())
        return a.plan.refusals.size() > b.plan.refusals.size();
    return missing(a) > missing(b);
}

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
    return plan.refusals.empty() ? nullptr : &plan.refusals.front();
}

std::vector<HostLoad> loads_of(const Inventory& inventory,
                               const std::map<std::string, HostView>& views,
                               const ClusterRecord& record) {
    std::unordered_map<std::string_view, const Domain*> listed;
    for (const Domain& domain : inventory.domains) listed.emplace(domain.name, &domain);
    std::unordered_map<std::string_view, std::vector<const DomainRecord*>> recorded;
    for (const DomainRecord& domain : record.domains) recorded[domain.host].push_back(&domain);
    std::vector<HostLoad> loads;
    for (const Host& host : inventory.hosts) {
        HostLoad load;
        load.host = host.name;
        const auto add = [&](const std::string& name, DomainState state, Bytes memory) {
            const auto found = listed.find(name);
            if (!is_active(state) || found == listed.end()) return;
            const Domain& domain = *found->second;
            if (load.open) load.apart.insert(domain.apart.begin(), domain.apart.end());
            if (domain.restart == RestartPolicy::Always)
                load.domains.push_back(want_of(domain, memory));
        };
        const auto view = views.find(host.name);
        load.open = view != views.end();
        if (load.open) {
            load.free = room_of(host, view->second);
            for (const DomainView& domain : view->second.domains)
                add(domain.name, domain.state, std::max(domain.memory, domain.memory_max));
        } else {
            for (const DomainRecord* domain : recorded[host.name])
                add(domain->name, domain->state, domain->memory);
        }
        loads.push_back(std::move(load));
    }
    return loads;
}

Loss plan_loss(const std::vector<HostLoad>& loads, const std::vector<std::string>& lost,
               std::vector<Want> added, const PackingSearch& search) {
    const std::set<std::string> gone(lost.begin(), lost.end());
    Loss loss{lost, std::move(added), {}};
    std::vector<Room> rooms;
    for (const HostLoad& load : loads) {
        if (gone.count(load.host) == 0 && load.open)
            rooms.push_back({load.host, load.free, load.apart});
        else if (gone.count(load.host) != 0)
            loss.wants.insert(loss.wants.end(), load.domains.begin(), load.domains.end());
    }
    loss.plan = plan_placement(rooms, loss.wants, search);
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
            load.apart.insert(want->apart.begin(), want->apart.end());
        }
        after.push_back(std::move(load));
    }
    return after;
}

Survival survive_any(const std::vector<HostLoad>& loads, std::size_t hosts,
                     const PackingSearch& search, std::size_t most_cases) {
    std::vector<std::string> open;
    for (const HostLoad& load : loads)
        if (load.open) open.push_back(load.host);
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
        Loss loss = plan_loss(loads, lost, {}, search);
        if (loss.first_refused() == nullptr) continue;
        ++survival.failing;
        if (!survival.worst || is_worse(loss, *survival.worst)) survival.worst = std::move(loss);
    } while (next_set(chosen, open.size()));
    return survival;
}

bool WhatIfAnswer::all_fit() const {
    return change.plan.refusals.empty() && survival.failing == 0 &&
           std::all_of(losses.begin(), losses.end(),
                       [](const Loss& loss) { return loss.plan.refusals.empty(); });
}

WhatIfAnswer answer_what_if(const std::vector<HostLoad>& loads, const WhatIf& question,
                            const PackingSearch& search) {
    WhatIfAnswer answer;
    answer.change = plan_loss(loads, question.without, question.added, search);
    answer.loads = loads_after(loads, answer.change);
    if (!question.lost.empty()) {
        answer.losses.push_back(plan_loss(answer.loads, question.lost, {}, search));
        return answer;
    }
    for (const HostLoad& load : answer.loads)
        if (load.open) answer.losses.push_back(plan_loss(answer.loads, {load.host}, {}, search));
    answer.survival = survive_any(answer.loads, question.survive, search);
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
    else if (first->kind == RefusalKind::NoAllowedHost)
        text += "; let it run on another host, or set restart = \"never\"";
    const std::size_t others = loss.plan.refusals.size() - 1;
    if (others != 0) text += " (and " + counted(others, "more domain") + ")";
    return text;
}

}  // namespace domkeeper
