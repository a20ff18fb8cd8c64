// SPDX-License-Identifier: GPL-3.0-or-later
// Wishes: what should be near to, apart from, or on a host, where that costs nobody his place.
#include <algorithm>

#include "lib/core/packing.hpp"

namespace domkeeper {
namespace {

constexpr int most_rounds = 3;

class Wisher {
  public:
    Wisher(const PackingProblem& problem, const Assignment& assignment)
        : problem_(problem), packing_(problem) {
        near_.resize(problem.rather_together.size());
        far_.resize(problem.rather_apart.size());
        for (std::size_t i = 0; i < assignment.size(); ++i) {
            if (assignment[i] != nowhere) packing_.put(i, assignment[i]);
            for (const std::size_t group : problem.items[i].rather_together)
                near_[group].push_back(i);
            for (const std::size_t group : problem.items[i].rather_apart) far_[group].push_back(i);
        }
    }

    Assignment run() {
        bool changed = true;
        for (int round = 0; round < most_rounds && changed; ++round) {
            changed = false;
            for (std::size_t i = 0; i < problem_.items.size(); ++i)
                if (packing_.where(i) != nowhere && problem_.items[i].together.empty() &&
                    packing_.wishes_broken(i, packing_.where(i)) > 0 && improve(i))
                    changed = true;
        }
        return packing_.assignment();
    }

  private:
    /// What is broken of an item and of all who share a wish with it.
    int broken_around(std::size_t i) const {
        int sum = broken(i);
        for (const std::size_t group : problem_.items[i].rather_together)
            for (const std::size_t other : near_[group]) sum += other == i ? 0 : broken(other);
        for (const std::size_t group : problem_.items[i].rather_apart)
            for (const std::size_t other : far_[group]) sum += other == i ? 0 : broken(other);
        return sum;
    }
    int broken(std::size_t i) const {
        return packing_.where(i) == nowhere ? 0 : packing_.wishes_broken(i, packing_.where(i));
    }

    void move(std::size_t i, std::size_t box) {
        packing_.take(i);
        packing_.put(i, box);
    }

    bool improve(std::size_t i) {
        const std::size_t home = packing_.where(i);
        const int before = broken_around(i);
        int least = before;
        std::size_t best = nowhere;
        for (std::size_t box = 0; box < problem_.boxes.size(); ++box) {
            if (box == home || !packing_.fits(i, box)) continue;
            move(i, box);
            if (const int after = broken_around(i); after < least) {
                least = after;
                best = box;
            }
            move(i, home);
        }
        if (best != nowhere) {
            move(i, best);
            return true;
        }
        for (std::size_t box = 0; box < problem_.boxes.size(); ++box)
            if (box != home && packing_.rules_allow(i, box) &&
                packing_.wishes_broken(i, box) < packing_.wishes_broken(i, home) &&
                exchange(i, box, before))
                return true;
        return false;
    }

    /// Changes places with one to whom it is all the same.
    bool exchange(std::size_t i, std::size_t box, int before) {
        const std::size_t home = packing_.where(i);
        const std::vector<std::size_t> there = packing_.items_in(box);
        for (const std::size_t other : there) {
            if (problem_.items[other].has_rules()) continue;
            packing_.take(other);
            packing_.take(i);
            const bool fits = packing_.fits(i, box) && packing_.fits(other, home);
            packing_.put(i, fits ? box : home);
            packing_.put(other, fits ? home : box);
            if (!fits) continue;
            if (broken_around(i) < before) return true;
            packing_.take(other);
            move(i, home);
            packing_.put(other, box);
        }
        return false;
    }

    const PackingProblem& problem_;
    Packing packing_;
    std::vector<std::vector<std::size_t>> near_;  ///< items by group
    std::vector<std::vector<std::size_t>> far_;
};

}  // namespace

Assignment with_more_wishes(const PackingProblem& problem, const Assignment& assignment) {
    const bool any = std::any_of(problem.items.begin(), problem.items.end(), [](const auto& item) {
        return item.prefer || !item.rather_apart.empty() || !item.rather_together.empty();
    });
    return any ? Wisher(problem, assignment).run() : assignment;
}

}  // namespace domkeeper
