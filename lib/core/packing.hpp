// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace domkeeper {

/// A question of placement in numbers alone: items (domains) into boxes (hosts). Groups are
/// numbers, counted for each kind of rule by itself.
struct PackingProblem {
    struct Box {
        std::int64_t free = 0;   ///< bytes; may be negative
        std::int64_t vcpus = 0;  ///< virtual CPUs that may still be given out
    };
    struct Item {
        std::int64_t size = 0;  ///< bytes
        std::int64_t vcpus = 0;
        int rank = 0;          ///< the higher the more important
        std::size_t mask = 0;  ///< where it may go: an index of `masks`
        std::vector<std::size_t> apart{};
        std::vector<std::size_t> together{};
        std::vector<std::size_t> rather_apart{};
        std::vector<std::size_t> rather_together{};
        std::optional<std::size_t> prefer{};  ///< boxes to be taken first: an index of `masks`

        bool has_rules() const {
            return !apart.empty() || !together.empty() || !rather_apart.empty() ||
                   !rather_together.empty() || prefer.has_value();
        }
    };
    /// For each group and box how many of it stand there from the beginning.
    using Standing = std::vector<std::vector<int>>;

    std::vector<Box> boxes;
    std::vector<Item> items;               ///< the most important first
    std::vector<std::vector<char>> masks;  ///< by box: 1 where it is one of them
    Standing apart;
    Standing rather_apart;
    Standing rather_together;
    std::size_t together_groups = 0;  ///< those that stand somewhere already are in the masks

    bool may_go(std::size_t item, std::size_t box) const {
        return masks[items[item].mask][box] != 0;
    }
};

/// For each item its box, or `nowhere`.
using Assignment = std::vector<std::size_t>;
inline constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// An assignment as it is being made: what each box has left, who stands where.
class Packing {
  public:
    explicit Packing(const PackingProblem& problem);

    bool fits(std::size_t item, std::size_t box) const;
    /// The same but for the size and the virtual CPUs.
    bool rules_allow(std::size_t item, std::size_t box) const;
    void put(std::size_t item, std::size_t box);
    void take(std::size_t item);

    std::int64_t free(std::size_t box) const { return free_[box]; }
    const std::vector<std::int64_t>& free() const { return free_; }
    std::int64_t vcpus(std::size_t box) const { return vcpus_[box]; }
    std::size_t where(std::size_t item) const { return assignment_[item]; }
    const std::vector<std::size_t>& items_in(std::size_t box) const { return inside_[box]; }
    const Assignment& assignment() const { return assignment_; }
    /// How many wishes (prefer, rather apart, rather together) that box leaves open; a preferred
    /// box outweighs all others.
    int wishes_broken(std::size_t item, std::size_t box) const;
    const PackingProblem& problem() const { return problem_; }

  private:
    void count(std::size_t item, std::size_t box, int step);

    const PackingProblem& problem_;
    std::vector<std::int64_t> free_;
    std::vector<std::int64_t> vcpus_;
    Assignment assignment_;
    std::vector<std::vector<std::size_t>> inside_;
    PackingProblem::Standing apart_;
    PackingProblem::Standing rather_apart_;
    PackingProblem::Standing rather_together_;
    std::vector<std::size_t> home_;        ///< of each together group: its box
    std::vector<std::size_t> home_count_;  ///< and how many of it are there
};

/// True when the assignment breaks no rule.
bool is_sound(const PackingProblem& problem, const Assignment& assignment);

/// True when `a` places more of the highest rank in which the two differ.
bool places_more(const PackingProblem& problem, const Assignment& a, const Assignment& b);

/// Whether all items have a box.
bool is_full(const Assignment& assignment);

/// The quick ways: spreading, then packing tightly; then, while something is left over, also
/// filling box by box and making room by moving others of the items; at last, where all should fit
/// by sums, pack_exactly(). Deterministic, no search without bounds: some milliseconds for what
/// fits easily, at most about a second. Without `thorough` no box is filled anew: for whoever asks
/// hundreds of such questions.
Assignment pack_quickly(const PackingProblem& problem, bool thorough = true);

/// Searches box by box for a way to place all of these items (indices), though next to nothing is
/// to spare. Empty: none was found within `budget` steps (some hundred million a second), or the
/// sizes have so fine a unit in common that it was not tried. Deterministic.
std::optional<Assignment> pack_exactly(const PackingProblem& problem,
                                       const std::vector<std::size_t>& items, long budget);

/// Moves items to boxes that leave fewer wishes open, where there is room.
Assignment with_more_wishes(const PackingProblem& problem, const Assignment& assignment);

/// As many items of the highest rank, then of the next, and so on, as sums alone allow: the small
/// ones first, as if all boxes were one.
std::vector<std::size_t> most_by_sums(const PackingProblem& problem);

/// True when sums alone show that no assignment places more: not if all boxes were one, and every
/// item could be cut to fit. False says nothing.
bool is_surely_best(const PackingProblem& problem, const Assignment& assignment);

/// What a search among all assignments found.
struct SearchedPacking {
    Assignment assignment;
    bool proven = false;  ///< true: no assignment places more. False: the search was given up
};

/// Searches among all assignments: as many items of the highest rank as can be placed, then of the
/// next, and so on. `known` is an assignment that breaks no rule, to begin with. Empty: it gave up
/// without finding a better one, or proving that there is none.
using PackingSearch = std::function<std::optional<SearchedPacking>(const PackingProblem& problem,
                                                                   const Assignment& known)>;

}  // namespace domkeeper
