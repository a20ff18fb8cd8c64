// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/balance.hpp"

#include <algorithm>
#include <tuple>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// What is less is no gain but rounding.
constexpr double least_gain = 1e-6;

double ratio(std::int64_t part, std::int64_t whole) {
    return whole <= 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <typename Share>
double spread(const std::vector<HostShare>& shares, const Share& share) {
    double least = 0, most = 0;
    bool first = true;
    for (const HostShare& host : shares) {
        if (host.closed) continue;
        least = first ? share(host) : std::min(least, share(host));
        most = first ? share(host) : std::max(most, share(host));
        first = false;
    }
    return most - least;
}

/// What virtual CPUs are measured by: the highest share among the open hosts, at least 1.
double vcpu_scale(const std::vector<HostShare>& shares) {
    double scale = 1;
    for (const HostShare& host : shares)
        if (!host.closed) scale = std::max(scale, host.vcpu_share());
    return scale;
}

/// A host with a CPU for each virtual one has no more to gain.
double vcpu_weight(const HostShare& share, double scale) {
    return std::max(share.vcpu_share(), 1.0) / scale;
}

/// A domain that may move.
struct Candidate {
    std::string domain;
    std::size_t host = 0;
    Want want;
    Bytes load;  ///< what it weighs where it is
    int vcpus = 0;
    bool moved = false;
};

class Balancer {
  public:
    Balancer(const MaintenanceQuestion& question, const Survey& survey)
        : question_(question), survey_(survey), shares_(shares_of(question, survey)) {
        scale_ = vcpu_scale(shares_);
        tolerance_ = question.inventory.policy.balance_tolerance / 100.0;
        for (const HostShare& share : shares_) {
            const Host& host = *question.inventory.find_host(share.host);
            const HostView& view = *survey.hosts.at(share.host).view;
            Room room = room_on(
                question.inventory, host, view,
                question.record == nullptr ? Labels{} : question.record->offers_of(share.host));
            room.free = room_for_moves(host, view);
            rooms_.push_back(std::move(room));
        }
        find_candidates();
    }

    MaintenancePlan make() {
        const std::size_t failing = losses_failing();
        while (step()) {
        }
        // What is not needed for it is left out, the last first.
        for (std::size_t i = moves_.size(); i-- > 0;) drop_if_needless(i);
        while (!moves_.empty() && losses_failing() > failing) moves_.pop_back();
        MaintenancePlan plan;
        plan.moves = moves_;
        std::sort(plan.moves.begin(), plan.moves.end(),
                  [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
        return plan;
    }

  private:
    std::tuple<int, Bytes, std::string> rank(const PlannedMove& move) const {
        return {question_.inventory.find_domain(move.domain)->priority, move.memory, move.domain};
    }

    void find_candidates() {
        for (const auto& [name, facts] : survey_.domains) {
            const Domain* entry = question_.inventory.find_domain(name);
            const std::string& home = facts.host;
            const auto host = std::find_if(shares_.begin(), shares_.end(),
                                           [&](const auto& share) { return share.host == home; });
            std::string why;
            if (entry == nullptr || !facts.objection().empty() || survey_.twice.count(name) != 0 ||
                host == shares_.end() || host->closed ||
                choose_way(entry->move, facts, why) != MoveWay::Live)
                continue;
            Candidate candidate{name,
                                static_cast<std::size_t>(host - shares_.begin()),
                                want_of(*entry, memory_needed(facts), facts.view.vcpus),
                                std::max(facts.view.memory, facts.view.memory_max),
                                facts.view.vcpus,
                                false};
            // What may be active on a host that can't be seen is not touched for comfort.
            if (may_be_unseen(*entry)) continue;
            // Who shares a host with others stays with them.
            if (!candidate.want.together.empty() || !candidate.want.rather_together.empty())
                continue;
            if (question_.record != nullptr)
                if (const DomainRecord* known = question_.record->find_domain(name))
                    add_defined_needs(candidate.want, known->xml);
            if (const auto avoid = question_.avoid.find(name); avoid != question_.avoid.end())
                candidate.want.avoid = avoid->second;
            for (const HostShare& share : shares_)
                if (blindness(survey_, share.host, facts)) candidate.want.avoid.insert(share.host);
            candidates_.push_back(std::move(candidate));
        }
    }

    bool may_be_unseen(const Domain& domain) const {
        return std::any_of(question_.inventory.hosts.begin(), question_.inventory.hosts.end(),
                           [&](const Host& host) {
                               const auto reading = survey_.hosts.find(host.name);
                               const bool read =
                                   reading != survey_.hosts.end() && reading->second.view;
                               return !read && question_.inventory.may_run(domain, host.name);
                           });
    }

    bool prefers(const Candidate& candidate, std::size_t host) const {
        const auto& prefer = candidate.want.prefer;
        return std::find(prefer.begin(), prefer.end(), shares_[host].host) != prefer.end();
    }

    double vcpus_of(const HostShare& share) const { return vcpu_weight(share, scale_); }

    /// The lower the more even: the squares of both shares.
    double cost(const HostShare& share) const {
        return share.memory_share() * share.memory_share() + vcpus_of(share) * vcpus_of(share);
    }

    static HostShare changed(HostShare share, const Candidate& candidate, int sign) {
        share.memory_used.count += sign * candidate.load.count;
        share.vcpus += sign * candidate.vcpus;
        return share;
    }

    double gain(const Candidate& candidate, std::size_t to) const {
        const HostShare& source = shares_[candidate.host];
        const HostShare& target = shares_[to];
        const bool uneven = source.memory_share() - target.memory_share() > tolerance_ ||
                            vcpus_of(source) - vcpus_of(target) > tolerance_;
        if (!uneven) return 0;
        return cost(source) + cost(target) - cost(changed(source, candidate, -1)) -
               cost(changed(target, candidate, 1));
    }

    /// A group that should share a host only if it must.
    bool crowds(const Candidate& candidate, std::size_t to) const {
        const auto& groups = candidate.want.rather_apart;
        return std::any_of(groups.begin(), groups.end(), [&](const std::string& group) {
            return rooms_[to].standing.rather_apart.count(group) != 0;
        });
    }

    bool fits(const Candidate& candidate, std::size_t to) const {
        const Room& room = rooms_[to];
        return to != candidate.host && !shares_[to].closed && takes(room, candidate.want) &&
               !crowds(candidate, to) &&
               (!prefers(candidate, candidate.host) || prefers(candidate, to));
    }

    /// The best single move; false when there is none.
    bool step() {
        Candidate* best = nullptr;
        std::size_t best_to = 0;
        double best_gain = least_gain;
        for (Candidate& candidate : candidates_) {
            if (candidate.moved) continue;
            for (std::size_t to = 0; to < shares_.size(); ++to) {
                if (!fits(candidate, to)) continue;
                const double won = gain(candidate, to);
                // Of two that gain the same, the one that is sooner over.
                const bool same =
                    best != nullptr && won > best_gain - least_gain && won < best_gain + least_gain;
                const bool better = same ? candidate.load < best->load : won > best_gain;
                if (!better) continue;
                best = &candidate;
                best_to = to;
                best_gain = won;
            }
        }
        if (best == nullptr) return false;
        take(*best, best_to);
        return true;
    }

    void take(Candidate& candidate, std::size_t to) {
        HostShare& source = shares_[candidate.host];
        HostShare& target = shares_[to];
        moves_.push_back(
            {candidate.domain, source.host, target.host, MoveWay::Live, candidate.want.memory,
             source.host + " carries " + words(source) + ", " + target.host + " " + words(target)});
        source = changed(source, candidate, -1);
        target = changed(target, candidate, 1);
        // What leaves a host is not counted as room there: moves may come in any order.
        rooms_[to].free -= candidate.want.memory;
        rooms_[to].standing.add(candidate.want);
        candidate.moved = true;
    }

    static std::string words(const HostShare& share) {
        std::string text =
            std::to_string(static_cast<int>(share.memory_share() * 100 + 0.5)) + "% of its memory";
        if (share.cpus > 0)
            text += " and " + std::to_string(share.vcpus) + " virtual on " +
                    counted(static_cast<std::size_t>(share.cpus), "CPU");
        return text;
    }

    bool is_even(const std::vector<HostShare>& shares) const {
        return memory_spread(shares) <= tolerance_ && vcpu_spread(shares) <= tolerance_;
    }

    void drop_if_needless(std::size_t index) {
        std::vector<PlannedMove> without = moves_;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(index));
        const auto after = shares_after(shares_of(question_, survey_), without, survey_);
        if (is_even(after)) moves_ = std::move(without);
    }

    /// How many losses of one open host would leave a domain without a place.
    std::size_t losses_failing() const {
        std::map<std::string, HostView> views;
        for (const HostShare& share : shares_)
            views.emplace(share.host, *survey_.hosts.at(share.host).view);
        for (const PlannedMove& move : moves_) {
            std::erase_if(views.at(move.from).domains,
                          [&](const DomainView& domain) { return domain.name == move.domain; });
            views.at(move.to).domains.push_back(survey_.domains.at(move.domain).view);
        }
        std::vector<HostLoad> loads =
            loads_of(question_.inventory, views,
                     question_.record == nullptr ? ClusterRecord{} : *question_.record);
        for (HostLoad& load : loads)
            load.open = load.open && question_.closed.count(load.host) == 0;
        return survive_any(loads, 1).failing;
    }

    const MaintenanceQuestion& question_;
    const Survey& survey_;
    std::vector<HostShare> shares_;
    std::vector<Room> rooms_;
    std::vector<Candidate> candidates_;
    std::vector<PlannedMove> moves_;
    double scale_ = 1;
    double tolerance_ = 0;
};

}  // namespace

double HostShare::memory_share() const {
    return ratio(memory_used.count, memory.count);
}

double HostShare::vcpu_share() const {
    return ratio(vcpus, cpus);
}

std::vector<HostShare> shares_of(const MaintenanceQuestion& question, const Survey& survey) {
    std::vector<HostShare> shares;
    for (const Host& host : question.inventory.hosts) {
        const auto reading = survey.hosts.find(host.name);
        if (reading == survey.hosts.end() || !reading->second.view) continue;
        const HostView& view = *reading->second.view;
        HostShare share{host.name, host.memory.value_or(view.memory_total) - host.reserve,
                        {},        view.cpus,
                        0,         question.closed.count(host.name) != 0};
        for (const DomainView& domain : view.domains) {
            if (!is_active(domain.state)) continue;
            share.memory_used += std::max(domain.memory, domain.memory_max);
            share.vcpus += domain.vcpus;
        }
        shares.push_back(std::move(share));
    }
    return shares;
}

std::vector<HostShare> shares_after(std::vector<HostShare> shares,
                                    const std::vector<PlannedMove>& moves, const Survey& survey) {
    for (const PlannedMove& move : moves) {
        const DomainView& view = survey.domains.at(move.domain).view;
        const Bytes load = std::max(view.memory, view.memory_max);
        for (HostShare& share : shares) {
            const int sign = share.host == move.to ? 1 : share.host == move.from ? -1 : 0;
            share.memory_used.count += sign * load.count;
            share.vcpus += sign * view.vcpus;
        }
    }
    return shares;
}

double memory_spread(const std::vector<HostShare>& shares) {
    return spread(shares, [](const HostShare& share) { return share.memory_share(); });
}

double vcpu_spread(const std::vector<HostShare>& shares) {
    const double scale = vcpu_scale(shares);
    return spread(shares, [&](const HostShare& share) { return vcpu_weight(share, scale); });
}

MaintenancePlan plan_balance(const MaintenanceQuestion& question, const Survey& survey) {
    return Balancer(question, survey).make();
}

}  // namespace domkeeper
