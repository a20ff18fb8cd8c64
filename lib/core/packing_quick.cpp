// SPDX-License-Identifier: GPL-3.0-or-later
// The quick ways of packing: by size, box by box, and by making room.
#include <algorithm>
#include <limits>
#include <numeric>

#include "lib/core/packing.hpp"

namespace domkeeper {
namespace {

/// Which of the boxes with enough room gets the item.
enum class Fit { Worst, Best, First };

constexpr int chain_depth = 3;
constexpr long chain_budget = 40'000;  ///< attempts for one packing
constexpr long item_budget = 4'000;    ///< of these for one item
constexpr long fill_budget = 4'000;    ///< steps for one box
constexpr int shuffle_rounds = 200;
constexpr long exact_budget = 20'000'000;
constexpr std::size_t most_left = 64;  ///< with more left over, no shuffling helps

using Indices = std::vector<std::size_t>;

bool suits_better(const Packing& packing, Fit fit, std::size_t box, std::size_t than) {
    return (fit == Fit::Worst && packing.free(box) > packing.free(than)) ||
           (fit == Fit::Best && packing.free(box) < packing.free(than));
}

/// For an item without wishes: one comparison decides about most of the boxes.
std::size_t choose_by_size(const Packing& packing, std::size_t i, Fit fit) {
    const PackingProblem& problem = packing.problem();
    const PackingProblem::Item& item = problem.items[i];
    const bool plain = !item.has_rules();
    const std::vector<char>& mask = problem.masks[item.mask];
    const std::vector<std::int64_t>& free = packing.free();
    std::int64_t above = item.size - 1;
    std::int64_t below = std::numeric_limits<std::int64_t>::max();
    std::size_t best = nowhere;
    for (std::size_t box = 0; box < free.size(); ++box) {
        if (free[box] <= above || free[box] >= below) continue;
        if (mask[box] == 0 || packing.vcpus(box) < item.vcpus ||
            (!plain && !packing.rules_allow(i, box)))
            continue;
        best = box;
        if (fit == Fit::First) return best;
        (fit == Fit::Worst ? above : below) = free[box];
    }
    return best;
}

std::size_t choose(const Packing& packing, std::size_t i, Fit fit) {
    const PackingProblem& problem = packing.problem();
    const PackingProblem::Item& item = problem.items[i];
    if (!item.prefer && item.rather_apart.empty() && item.rather_together.empty())
        return choose_by_size(packing, i, fit);
    std::size_t best = nowhere;
    int best_broken = 0;
    for (std::size_t box = 0; box < problem.boxes.size(); ++box) {
        if (packing.free(box) < item.size || !packing.fits(i, box)) continue;
        const int broken = packing.wishes_broken(i, box);
        const bool better = best == nowhere || broken < best_broken ||
                            (broken == best_broken && suits_better(packing, fit, box, best));
        if (!better) continue;
        best = box;
        best_broken = broken;
    }
    return best;
}

/// What must be together with each item, as far as it goes: the items of its groups, of theirs, ...
std::vector<Indices> families_of(const PackingProblem& problem) {
    std::vector<Indices> by_group(problem.together_groups);
    for (std::size_t i = 0; i < problem.items.size(); ++i)
        for (const std::size_t group : problem.items[i].together) by_group[group].push_back(i);
    std::vector<Indices> families(problem.items.size());
    for (std::size_t i = 0; i < problem.items.size(); ++i) {
        if (problem.items[i].together.empty() || !families[i].empty()) continue;
        Indices family{i};
        for (std::size_t next = 0; next < family.size(); ++next)
            for (const std::size_t group : problem.items[family[next]].together)
                for (const std::size_t other : by_group[group])
                    if (std::find(family.begin(), family.end(), other) == family.end())
                        family.push_back(other);
        std::sort(family.begin(), family.end());
        for (const std::size_t member : family) families[member] = family;
    }
    return families;
}

/// Places items one by one; whoever must be together is placed at once where that can be.
class Packer {
  public:
    Packer(const PackingProblem& problem, Fit fit, bool by_family)
        : problem_(problem), packing_(problem), fit_(fit) {
        if (by_family && problem.together_groups != 0) families_ = families_of(problem);
    }

    Packing& packing() { return packing_; }

    bool place(std::size_t i) {
        if (packing_.where(i) != nowhere) return true;
        if (!families_.empty() && families_[i].size() > 1 && place_family(i)) return true;
        const std::size_t box = choose(packing_, i, fit_);
        if (box == nowhere) return false;
        packing_.put(i, box);
        return true;
    }

    /// Places it by moving others that were placed here.
    bool make_room(std::size_t i) {
        if (fixed_.empty()) fixed_.assign(problem_.items.size(), 0);
        // Short chains first: a long one through the first box would use up all the attempts.
        bool done = false;
        for (int depth = 1; depth <= chain_depth && !done && budget_ > 0; ++depth) {
            const long before = budget_;
            const long given = std::min(budget_, item_budget);
            budget_ = given;
            done = insert(i, depth);
            budget_ = before - (given - budget_);
        }
        return done;
    }

    /// Empties a few boxes at a time and fills them anew, so that what is left over gathers in one
    /// place, until all have theirs or nothing comes of it any more.
    void reshuffle() {
        std::vector<std::size_t> left;
        for (std::size_t i = 0; i < problem_.items.size(); ++i)
            if (packing_.where(i) == nowhere) left.push_back(i);
        if (left.empty() || left.size() > most_left || problem_.boxes.size() < 2) return;
        std::uint64_t state = 1;  // always the same: no plan depends on chance
        const auto pick = [&](std::size_t below) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            return static_cast<std::size_t>(state >> 33U) % below;
        };
        for (int round = 0; round < shuffle_rounds && !is_full(packing_.assignment()); ++round) {
            Indices boxes;
            const std::size_t count = std::min<std::size_t>(2 + pick(3), problem_.boxes.size());
            while (boxes.size() < count)
                if (const std::size_t box = pick(problem_.boxes.size());
                    std::find(boxes.begin(), boxes.end(), box) == boxes.end())
                    boxes.push_back(box);
            refill(boxes);
        }
    }

    /// Fills box after box with what leaves least of it over.
    void fill(const Indices& boxes, const Indices& items) {
        std::int64_t unit = 0;
        for (const std::size_t i : items) unit = std::gcd(unit, problem_.items[i].size);
        Indices left = items;
        for (const std::size_t box : boxes) {
            fill_box(box, left, std::max<std::int64_t>(unit, 1));
            std::erase_if(left, [&](std::size_t i) { return packing_.where(i) != nowhere; });
        }
    }

  private:
    bool place_family(std::size_t i) {
        Indices family = families_[i];
        std::erase_if(family, [&](std::size_t m) { return packing_.where(m) != nowhere; });
        for (; family.size() > 1; family.pop_back()) {
            std::size_t best = nowhere;
            for (std::size_t box = 0; box < problem_.boxes.size(); ++box) {
                const bool better = best == nowhere || suits_better(packing_, fit_, box, best);
                if (!better || !put_all(family, box)) continue;
                for (const std::size_t member : family) packing_.take(member);
                best = box;
            }
            if (best == nowhere) continue;
            put_all(family, best);
            return packing_.where(i) != nowhere;
        }
        return false;
    }

    bool put_all(const Indices& family, std::size_t box) {
        for (std::size_t k = 0; k < family.size(); ++k) {
            if (packing_.fits(family[k], box)) {
                packing_.put(family[k], box);
                continue;
            }
            while (k-- > 0) packing_.take(family[k]);
            return false;
        }
        return true;
    }

    void refill(const Indices& boxes) {
        const Assignment before = packing_.assignment();
        const double gathered = gathering();
        Indices pool;
        for (const std::size_t box : boxes)
            for (const std::size_t i : packing_.items_in(box))
                if (problem_.items[i].together.empty()) pool.push_back(i);
        for (const std::size_t i : pool) packing_.take(i);
        for (std::size_t i = 0; i < problem_.items.size(); ++i)
            if (before[i] == nowhere && problem_.items[i].together.empty()) pool.push_back(i);
        fill(boxes, pool);
        std::sort(pool.begin(), pool.end());
        for (const std::size_t i : pool) place(i);
        for (std::size_t i = 0; i < problem_.items.size(); ++i)
            if (packing_.where(i) == nowhere) place(i);
        const bool more = places_more(problem_, packing_.assignment(), before);
        const bool fewer = places_more(problem_, before, packing_.assignment());
        if (more || (!fewer && gathering() >= gathered)) return;
        for (std::size_t i = 0; i < before.size(); ++i)
            if (packing_.where(i) != before[i] && packing_.where(i) != nowhere) packing_.take(i);
        for (std::size_t i = 0; i < before.size(); ++i)
            if (packing_.where(i) != before[i]) packing_.put(i, before[i]);
    }

    /// The more of what is free is in one place, the higher.
    double gathering() const {
        double sum = 0;
        for (const std::int64_t free : packing_.free())
            sum += static_cast<double>(free) * static_cast<double>(free);
        return sum;
    }

    // Every step of a chain is noted, so that one that leads nowhere can be taken back.
    void move(std::size_t i, std::size_t box) {
        trail_.emplace_back(i, packing_.where(i));
        if (packing_.where(i) != nowhere) packing_.take(i);
        if (box != nowhere) packing_.put(i, box);
    }

    void take_back(std::size_t mark) {
        while (trail_.size() > mark) {
            const auto [i, box] = trail_.back();
            trail_.pop_back();
            if (packing_.where(i) != nowhere) packing_.take(i);
            if (box != nowhere) packing_.put(i, box);
        }
    }

    /// A chain: it takes the place of another one, which takes the place of a third.
    bool insert(std::size_t i, int depth) {
        if (const std::size_t box = choose(packing_, i, fit_); box != nowhere) {
            move(i, box);
            return true;
        }
        if (depth == 0) return false;
        fixed_[i] = 1;
        bool done = false;
        for (int others = 1; others <= 2 && !done; ++others)
            for (std::size_t box = 0; box < problem_.boxes.size() && !done && budget_ > 0; ++box)
                if (problem_.may_go(i, box))
                    done = others == 1 ? push_one(i, box, depth) : push_two(i, box, depth);
        fixed_[i] = 0;
        return done;
    }

    /// Those in the box that could be moved away, the small ones first.
    Indices movable(std::size_t box) const {
        Indices list = packing_.items_in(box);
        std::erase_if(list, [&](std::size_t v) {
            return fixed_[v] != 0 || !problem_.items[v].together.empty();
        });
        std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(problem_.items[a].size, a) < std::pair(problem_.items[b].size, b);
        });
        return list;
    }

    bool push_one(std::size_t i, std::size_t box, int depth) {
        for (const std::size_t v : movable(box))
            if (push(i, box, {v}, depth)) return true;
        return false;
    }

    bool push_two(std::size_t i, std::size_t box, int depth) {
        const Indices list = movable(box);
        for (std::size_t a = 0; a < list.size(); ++a)
            for (std::size_t b = a + 1; b < list.size() && budget_ > 0; ++b)
                if (push(i, box, {list[b], list[a]}, depth)) return true;
        return false;
    }

    /// Puts it in the place of these, if they find others.
    bool push(std::size_t i, std::size_t box, const Indices& others, int depth) {
        std::int64_t size = packing_.free(box);
        std::int64_t vcpus = packing_.vcpus(box);
        for (const std::size_t v : others) {
            size += problem_.items[v].size;
            vcpus += problem_.items[v].vcpus;
        }
        if (size < problem_.items[i].size || vcpus < problem_.items[i].vcpus) return false;
        if (budget_-- <= 0) return false;
        const std::size_t mark = trail_.size();
        for (const std::size_t v : others) move(v, nowhere);
        bool done = packing_.fits(i, box);
        if (done) move(i, box);
        for (const std::size_t v : others) done = done && insert(v, depth - 1);
        if (!done) take_back(mark);
        return done;
    }

    /// Looks for what leaves least over in one box, beginning with the largest that fits.
    void fill_box(std::size_t box, const Indices& items, std::int64_t unit) {
        Fill fill{box, unit, {}, {}, {}, packing_.free(box), fill_budget};
        for (const std::size_t i : items)
            if (packing_.fits(i, box)) fill.items.push_back(i);
        std::stable_sort(fill.items.begin(), fill.items.end(), [&](std::size_t a, std::size_t b) {
            return problem_.items[a].size > problem_.items[b].size;
        });
        fill.rest.assign(fill.items.size() + 1, 0);
        for (std::size_t k = fill.items.size(); k-- > 0;)
            fill.rest[k] = fill.rest[k + 1] + problem_.items[fill.items[k]].size;
        if (fill.items.empty()) return;
        packing_.put(fill.items.front(), box);
        fill.chosen.push_back(fill.items.front());
        fill.best = fill.chosen;
        fill.slack = packing_.free(box);
        look_further(fill, 1);
        packing_.take(fill.items.front());
        for (const std::size_t i : fill.best) packing_.put(i, box);
    }

    struct Fill {
        std::size_t box;
        std::int64_t unit;
        Indices items;                   ///< the large ones first
        Indices chosen;                  ///< by now
        std::vector<std::int64_t> rest;  ///< sizes of the items from an index on
        std::int64_t slack;              ///< that the best leaves over
        long budget;
        Indices best{};
    };

    void look_further(Fill& fill, std::size_t from) {
        std::int64_t tried = -1;
        for (std::size_t k = from; k < fill.items.size() && fill.slack >= fill.unit; ++k) {
            const std::size_t i = fill.items[k];
            const PackingProblem::Item& item = problem_.items[i];
            if (packing_.free(fill.box) - fill.rest[k] >= fill.slack) return;
            const bool plain = !item.has_rules() && item.vcpus == 0;
            if ((plain && item.size == tried) || !packing_.fits(i, fill.box)) continue;
            if (plain) tried = item.size;
            if (fill.budget-- <= 0) return;
            packing_.put(i, fill.box);
            fill.chosen.push_back(i);
            if (packing_.free(fill.box) < fill.slack) {
                fill.slack = packing_.free(fill.box);
                fill.best = fill.chosen;
            }
            look_further(fill, k + 1);
            fill.chosen.pop_back();
            packing_.take(i);
        }
    }

    const PackingProblem& problem_;
    Packing packing_;
    Fit fit_;
    std::vector<Indices> families_;  ///< by item; empty: nobody looks at them
    std::vector<char> fixed_;        ///< items that a chain does not move again
    std::vector<std::pair<std::size_t, std::size_t>> trail_;  ///< items and where they were
    long budget_ = chain_budget;
};

Assignment pack_by_size(const PackingProblem& problem, Fit fit, bool by_family) {
    Packer packer(problem, fit, by_family);
    for (std::size_t i = 0; i < problem.items.size(); ++i) packer.place(i);
    return packer.packing().assignment();
}

/// Rank by rank: what finds no place gets one by moving others of its rank or above.
Assignment pack_making_room(const PackingProblem& problem, Fit fit) {
    Packer packer(problem, fit, true);
    for (std::size_t i = 0; i < problem.items.size();) {
        const int rank = problem.items[i].rank;
        Indices left;
        for (; i < problem.items.size() && problem.items[i].rank == rank; ++i)
            if (!packer.place(i)) left.push_back(i);
        for (const std::size_t item : left)
            if (!packer.place(item)) packer.make_room(item);
    }
    return packer.packing().assignment();
}

/// Box by box, of the most important items that could all find a place; then the others. Those with
/// rules come before that, spread: what is free of them fills any gap.
Assignment pack_box_by_box(const PackingProblem& problem, bool tight_first, bool rules_first) {
    Packer packer(problem, rules_first ? Fit::Worst : Fit::Best, true);
    Indices boxes(problem.boxes.size());
    std::iota(boxes.begin(), boxes.end(), std::size_t{0});
    std::int64_t free = 0;
    for (const PackingProblem::Box& box : problem.boxes)
        free += std::max<std::int64_t>(box.free, 0);
    if (tight_first)
        std::stable_sort(boxes.begin(), boxes.end(), [&](std::size_t a, std::size_t b) {
            return problem.boxes[a].free < problem.boxes[b].free;
        });
    Indices items;
    for (std::size_t i = 0; i < problem.items.size(); ++i) {
        if (problem.items[i].size > free) continue;
        free -= problem.items[i].size;
        const PackingProblem::Item& item = problem.items[i];
        const bool bound = rules_first && (item.mask != 0 || !item.apart.empty());
        if (item.together.empty() && !bound)
            items.push_back(i);
        else
            packer.place(i);
    }
    packer.fill(boxes, items);
    for (std::size_t i = 0; i < problem.items.size(); ++i)
        if (!packer.place(i)) packer.make_room(i);
    if (!is_surely_best(problem, packer.packing().assignment())) packer.reshuffle();
    return packer.packing().assignment();
}

}  // namespace

Assignment pack_quickly(const PackingProblem& problem, bool thorough) {
    Assignment best = pack_by_size(problem, Fit::Worst, true);
    const auto settled = [&] { return is_surely_best(problem, best); };
    const auto consider = [&](Assignment other) {
        if (places_more(problem, other, best)) best = std::move(other);
    };
    if (settled()) return best;
    for (const Fit fit : {Fit::Best, Fit::First}) {
        consider(pack_by_size(problem, fit, true));
        if (is_full(best)) return best;
    }
    if (problem.together_groups != 0) consider(pack_by_size(problem, Fit::Best, false));
    if (settled()) return best;
    for (const Fit fit : {Fit::Best, Fit::Worst}) {
        consider(pack_making_room(problem, fit));
        if (settled()) return best;
    }
    if (!thorough) return best;
    const bool bound = problem.masks.size() > 1 || !problem.apart.empty();
    for (const bool rules_first : {true, false})
        for (const bool tight_first : {true, false}) {
            if (rules_first && !bound) continue;
            consider(pack_box_by_box(problem, tight_first, rules_first));
            if (settled()) return best;
        }
    // With something left over in any case, what to leave is the question, which sums can't answer.
    const Indices most = most_by_sums(problem);
    if (most.size() == problem.items.size())
        if (const auto exact = pack_exactly(problem, most, exact_budget)) consider(*exact);
    return best;
}

}  // namespace domkeeper
