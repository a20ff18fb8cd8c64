// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/packing.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace domkeeper {

Packing::Packing(const PackingProblem& problem)
    : problem_(problem),
      assignment_(problem.items.size(), nowhere),
      inside_(problem.boxes.size()),
      apart_(problem.apart),
      rather_apart_(problem.rather_apart),
      rather_together_(problem.rather_together),
      home_(problem.together_groups, nowhere),
      home_count_(problem.together_groups, 0) {
    for (const PackingProblem::Box& box : problem.boxes) {
        free_.push_back(box.free);
        vcpus_.push_back(box.vcpus);
    }
}

bool Packing::rules_allow(std::size_t i, std::size_t box) const {
    const PackingProblem::Item& item = problem_.items[i];
    return problem_.may_go(i, box) &&
           std::all_of(item.apart.begin(), item.apart.end(),
                       [&](std::size_t group) { return apart_[group][box] == 0; }) &&
           std::all_of(item.together.begin(), item.together.end(), [&](std::size_t group) {
               return home_[group] == nowhere || home_[group] == box;
           });
}

bool Packing::fits(std::size_t i, std::size_t box) const {
    const PackingProblem::Item& item = problem_.items[i];
    return item.size <= free_[box] && item.vcpus <= vcpus_[box] && rules_allow(i, box);
}

void Packing::count(std::size_t i, std::size_t box, int step) {
    const PackingProblem::Item& item = problem_.items[i];
    free_[box] -= step * item.size;
    vcpus_[box] -= step * item.vcpus;
    for (const std::size_t group : item.apart) apart_[group][box] += step;
    for (const std::size_t group : item.rather_apart) rather_apart_[group][box] += step;
    for (const std::size_t group : item.rather_together) rather_together_[group][box] += step;
}

void Packing::put(std::size_t i, std::size_t box) {
    count(i, box, 1);
    for (const std::size_t group : problem_.items[i].together) {
        home_[group] = box;
        ++home_count_[group];
    }
    assignment_[i] = box;
    inside_[box].push_back(i);
}

void Packing::take(std::size_t i) {
    const std::size_t box = assignment_[i];
    count(i, box, -1);
    for (const std::size_t group : problem_.items[i].together)
        if (--home_count_[group] == 0) home_[group] = nowhere;
    assignment_[i] = nowhere;
    auto& inside = inside_[box];
    inside.erase(std::find(inside.begin(), inside.end(), i));
}

int Packing::wishes_broken(std::size_t i, std::size_t box) const {
    constexpr int outweighs_all = 1000;
    const PackingProblem::Item& item = problem_.items[i];
    int broken = 0;
    if (item.prefer && problem_.masks[*item.prefer][box] == 0) broken += outweighs_all;
    const bool here = assignment_[i] == box;  // it does not count as its own neighbour
    for (const std::size_t group : item.rather_apart)
        if (rather_apart_[group][box] > (here ? 1 : 0)) ++broken;
    for (const std::size_t group : item.rather_together) {
        const std::vector<int>& there = rather_together_[group];
        const bool has_friends = there[box] > (here ? 1 : 0);
        if (has_friends) continue;
        int others = assignment_[i] == nowhere ? 0 : -1;
        for (const int count : there) others += count;
        if (others > 0) ++broken;
    }
    return broken;
}

bool is_sound(const PackingProblem& problem, const Assignment& assignment) {
    if (assignment.size() != problem.items.size()) return false;
    Packing packing(problem);
    for (std::size_t i = 0; i < assignment.size(); ++i) {
        if (assignment[i] == nowhere) continue;
        if (assignment[i] >= problem.boxes.size() || !packing.fits(i, assignment[i])) return false;
        packing.put(i, assignment[i]);
    }
    return true;
}

bool places_more(const PackingProblem& problem, const Assignment& a, const Assignment& b) {
    std::map<int, int, std::greater<>> lead;  // of a, by rank
    for (std::size_t i = 0; i < problem.items.size(); ++i)
        lead[problem.items[i].rank] += (a[i] != nowhere ? 1 : 0) - (b[i] != nowhere ? 1 : 0);
    for (const auto& [rank, more] : lead)
        if (more != 0) return more > 0;
    return false;
}

bool is_full(const Assignment& assignment) {
    return std::find(assignment.begin(), assignment.end(), nowhere) == assignment.end();
}

std::vector<std::size_t> most_by_sums(const PackingProblem& problem) {
    // An item that fits into no box even alone is none that anybody could place.
    const Packing empty(problem);
    const auto is_placeable = [&](std::size_t i) {
        for (std::size_t box = 0; box < problem.boxes.size(); ++box)
            if (empty.fits(i, box)) return true;
        return false;
    };
    constexpr std::int64_t plenty = std::numeric_limits<std::int64_t>::max() / 4;
    std::int64_t free = 0;
    std::int64_t vcpus = 0;
    std::int64_t unit = 0;
    for (const PackingProblem::Item& item : problem.items) unit = std::gcd(unit, item.size);
    unit = std::max<std::int64_t>(unit, 1);
    for (const PackingProblem::Box& box : problem.boxes) {
        // No box is filled with parts of what divides all sizes.
        free += std::max<std::int64_t>(box.free, 0) / unit * unit;
        vcpus = std::min(plenty, vcpus + std::clamp<std::int64_t>(box.vcpus, 0, plenty));
    }
    std::vector<std::size_t> most;
    for (std::size_t i = 0; i < problem.items.size();) {
        std::vector<std::size_t> rank_items;
        std::vector<std::int64_t> shares;
        for (const int rank = problem.items[i].rank;
             i < problem.items.size() && problem.items[i].rank == rank; ++i) {
            if (!is_placeable(i)) continue;
            rank_items.push_back(i);
            shares.push_back(problem.items[i].vcpus);
        }
        std::stable_sort(rank_items.begin(), rank_items.end(), [&](std::size_t a, std::size_t b) {
            return problem.items[a].size < problem.items[b].size;
        });
        std::sort(shares.begin(), shares.end());
        // Whatever places as many of this rank needs no less for them.
        for (std::size_t k = 0; k < rank_items.size(); ++k) {
            const std::int64_t size = problem.items[rank_items[k]].size;
            if (size > free || shares[k] > vcpus) break;
            free -= size;
            vcpus -= shares[k];
            most.push_back(rank_items[k]);
        }
    }
    return most;
}

bool is_surely_best(const PackingProblem& problem, const Assignment& assignment) {
    if (is_full(assignment)) return true;
    Assignment bound(problem.items.size(), nowhere);
    for (const std::size_t i : most_by_sums(problem)) bound[i] = 0;
    return !places_more(problem, bound, assignment);
}

}  // namespace domkeeper
