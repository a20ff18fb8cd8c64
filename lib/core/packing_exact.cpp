// SPDX-License-Identifier: GPL-3.0-or-later
// The search for a packing without more waste than there is to spare, box by box.
#include <algorithm>
#include <numeric>

#include "lib/core/packing.hpp"

namespace domkeeper {
namespace {

using Indices = std::vector<std::size_t>;

/// Boxes of more units than that are not searched: there sizes rarely come to the same sums.
constexpr std::int64_t most_units = 4'096;

/// Always fills the box for which there are fewest ways, in each of these ways in turn. What the
/// fills waste must be to spare in all; so a box that can't be filled closely enough ends a branch
/// long before the last item finds no place.
class ExactSearch {
  public:
    ExactSearch(const PackingProblem& problem, Indices items, long budget)
        : problem_(problem), packing_(problem), left_(std::move(items)), budget_(budget) {
        for (const std::size_t i : left_) unit_ = std::gcd(unit_, problem.items[i].size);
        unit_ = std::max<std::int64_t>(unit_, 1);
        std::stable_sort(left_.begin(), left_.end(), [&](std::size_t a, std::size_t b) {
            return problem.items[a].size > problem.items[b].size;
        });
        for (const std::size_t i : left_) spare_ -= units(problem.items[i].size);
        for (std::size_t box = 0; box < problem.boxes.size(); ++box) {
            if (problem.boxes[box].free < unit_) continue;
            open_.push_back(box);
            spare_ += room(box);
        }
    }

    std::optional<Assignment> search() {
        for (const std::size_t box : open_)
            if (room(box) > most_units) return std::nullopt;
        if (!solve()) return std::nullopt;
        return packing_.assignment();
    }

  private:
    /// The items that may go into a box, and what sums they come to.
    struct Fill {
        std::size_t box = 0;
        Indices items;
        std::int64_t room = 0;
        /// For the items from an index on: the largest sum that is not above so many units.
        std::vector<std::vector<std::int64_t>> most;
    };

    std::int64_t units(std::int64_t bytes) const { return bytes / unit_; }
    std::int64_t room(std::size_t box) const { return packing_.free(box) / unit_; }
    std::int64_t size(std::size_t item) const { return units(problem_.items[item].size); }

    Indices fitting(std::size_t box) const {
        Indices list;
        for (const std::size_t i : left_)
            if (packing_.fits(i, box)) list.push_back(i);
        return list;
    }

    /// In how many ways these come to a sum that wastes no more of the box than is to spare.
    double ways(std::size_t box, const Indices& items) {
        const std::int64_t most = room(box);
        budget_ -= static_cast<long>(items.size()) * most;
        std::vector<double> sums(static_cast<std::size_t>(most) + 1, 0.0);
        sums[0] = 1;
        for (const std::size_t i : items)
            for (std::int64_t sum = most; sum >= size(i); --sum)
                sums[static_cast<std::size_t>(sum)] +=
                    sums[static_cast<std::size_t>(sum - size(i))];
        double all = 0;
        for (std::int64_t sum = std::max<std::int64_t>(0, most - spare_); sum <= most; ++sum)
            all += sums[static_cast<std::size_t>(sum)];
        return all;
    }

    bool solve() {
        if (left_.empty()) return true;
        if (spare_ < 0 || budget_ <= 0) return false;
        Fill fill;
        double fewest = 0;
        std::vector<char> has_place(problem_.items.size(), 0);
        for (const std::size_t box : open_) {
            Indices items = fitting(box);
            for (const std::size_t i : items) has_place[i] = 1;
            const double found = ways(box, items);
            if (found == 0 || budget_ <= 0) return false;
            if (!fill.items.empty() && found >= fewest) continue;
            if (items.empty()) continue;
            fewest = found;
            fill.box = box;
            fill.items = std::move(items);
        }
        for (const std::size_t i : left_)
            if (has_place[i] == 0) return false;
        fill.room = room(fill.box);
        look_up_sums(fill);
        std::erase(open_, fill.box);
        if (choose(fill, 0, fill.room)) return true;
        open_.push_back(fill.box);
        return false;
    }

    void look_up_sums(Fill& fill) {
        budget_ -= static_cast<long>(fill.items.size()) * fill.room;
        const auto width = static_cast<std::size_t>(fill.room) + 1;
        fill.most.assign(fill.items.size() + 1, std::vector<std::int64_t>(width, 0));
        for (std::size_t k = fill.items.size(); k-- > 0;) {
            const std::int64_t own = size(fill.items[k]);
            for (std::int64_t up_to = 0; up_to <= fill.room; ++up_to) {
                const auto at = static_cast<std::size_t>(up_to);
                fill.most[k][at] = fill.most[k + 1][at];
                if (own <= up_to)
                    fill.most[k][at] =
                        std::max(fill.most[k][at],
                                 own + fill.most[k + 1][static_cast<std::size_t>(up_to - own)]);
            }
        }
    }

    /// Of the fill's items from an index on, what goes into the `left` units of its box.
    bool choose(const Fill& fill, std::size_t from, std::int64_t left) {
        if (--budget_ <= 0) return false;
        std::size_t tried = nowhere;
        bool is_full = true;
        for (std::size_t k = from; k < fill.items.size(); ++k) {
            const std::size_t i = fill.items[k];
            if (size(i) > left || !packing_.fits(i, fill.box)) continue;
            // One of a together group may have no choice but to be elsewhere.
            if (problem_.items[i].together.empty()) is_full = false;
            if (left - size(i) - fill.most[k + 1][static_cast<std::size_t>(left - size(i))] >
                spare_)
                continue;
            if (tried != nowhere && alike(tried, i)) continue;
            tried = i;
            packing_.put(i, fill.box);
            if (choose(fill, k + 1, left - size(i))) return true;
            packing_.take(i);
        }
        // One that leaves room for another is no better than with that one.
        if (!is_full || left > spare_) return false;
        return go_on(left);
    }

    bool go_on(std::int64_t wasted) {
        const Indices before = left_;
        std::erase_if(left_, [&](std::size_t i) { return packing_.where(i) != nowhere; });
        // The room of this box and the sizes in it are gone from both sides.
        spare_ -= wasted;
        const bool done = solve();
        spare_ += wasted;
        if (!done) left_ = before;
        return done;
    }

    bool alike(std::size_t a, std::size_t b) const {
        const PackingProblem::Item& one = problem_.items[a];
        const PackingProblem::Item& other = problem_.items[b];
        return one.size == other.size && one.vcpus == other.vcpus && one.mask == other.mask &&
               !one.has_rules() && !other.has_rules();
    }

    const PackingProblem& problem_;
    Packing packing_;
    Indices left_;  ///< the large ones first
    Indices open_;  ///< boxes not filled yet
    std::int64_t unit_ = 0;
    std::int64_t spare_ = 0;  ///< units that may be wasted
    long budget_;
};

}  // namespace

std::optional<Assignment> pack_exactly(const PackingProblem& problem,
                                       const std::vector<std::size_t>& items, long budget) {
    return ExactSearch(problem, items, budget).search();
}

}  // namespace domkeeper
