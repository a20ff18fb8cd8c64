// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/glpk_packing.hpp"

#include <glpk.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <tuple>

#include "lib/io/real_scheduler.hpp"

namespace domkeeper {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;
constexpr int shortest_search_ms = 10;
/// More columns than that take GLPK longer than anybody waits.
constexpr std::size_t most_columns = 400'000;

struct FreeProblem {
    void operator()(glp_prob* problem) const { glp_delete_prob(problem); }
};

/// Items that differ in nothing: to tell them apart would make the search walk through every
/// exchange of two of them.
struct Group {
    std::int64_t size = 0;  ///< MiB, later in units that all groups share
    PackingProblem::Item item;
    std::vector<std::size_t> members;  ///< indices of items
    std::vector<bool> allowed;         ///< for each box
};

std::vector<Group> groups_of(const PackingProblem& problem) {
    using Key = std::tuple<int, std::int64_t, std::int64_t, std::size_t, std::vector<std::size_t>,
                           std::vector<std::size_t>>;
    const Packing empty(problem);
    std::map<Key, Group> groups;
    for (std::size_t i = 0; i < problem.items.size(); ++i) {
        const PackingProblem::Item& item = problem.items[i];
        const std::int64_t size = (item.size + mebibyte - 1) / mebibyte;
        Group& group =
            groups[{-item.rank, -size, item.vcpus, item.mask, item.apart, item.together}];
        group.members.push_back(i);
        if (group.members.size() > 1) continue;
        group.size = size;
        group.item = item;
        for (std::size_t box = 0; box < problem.boxes.size(); ++box)
            group.allowed.push_back(empty.fits(i, box));
    }
    std::vector<Group> list;
    for (auto& [key, group] : groups) list.push_back(std::move(group));
    return list;
}

/// The integer program: a column for each group and box that may take it, how many of the group
/// go there; a row for each box (memory) and each group (no more than there are).
class Program {
  public:
    Program(const PackingProblem& problem, std::vector<Group> groups, Deadline deadline)
        : boxes_(problem.boxes), groups_(std::move(groups)), deadline_(deadline) {
        glp_term_out(GLP_OFF);
        problem_.reset(glp_create_prob());
        glp_set_obj_dir(problem_.get(), GLP_MAX);
        add_rows();
        add_columns();
        add_apart_rows();
        add_together_rows();
    }

    /// Most of each rank in turn. True when all of it is proven.
    bool search(const Assignment& known) {
        bool is_known = true;  // as many as `known` places can be placed
        for (const int rank : ranks()) {
            const std::vector<int> columns = columns_of(rank);
            if (columns.empty()) continue;  // none of them fits anywhere
            const long placed = is_known ? placed_of(rank, known) : 0;
            if (is_known && placed == count_of(rank)) {
                add_sum_row(columns, GLP_LO, static_cast<double>(placed));
                continue;
            }
            const int row =
                add_sum_row(columns, GLP_LO, static_cast<double>(placed + (is_known ? 1 : 0)));
            const Answer answer = maximize(columns);
            if (answer == Answer::GaveUp) return false;
            const bool is_better = answer == Answer::Best;
            if (!is_better && !is_known) return false;
            is_known = is_known && !is_better;
            const double most =
                is_better ? glp_mip_obj_val(problem_.get()) : static_cast<double>(placed);
            glp_set_row_bnds(problem_.get(), row, GLP_LO, std::round(most), 0);
        }
        return true;
    }

    /// False before any packing better than the known one was found.
    bool found() const { return !counts_.empty(); }

    Assignment assignment(std::size_t items) const {
        Assignment assignment(items, nowhere);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            std::size_t next = 0;
            for (std::size_t r = 0; r < boxes_.size(); ++r)
                for (long n = counts_[g][r]; n > 0 && next < groups_[g].members.size(); --n)
                    assignment[groups_[g].members[next++]] = r;
        }
        return assignment;
    }

  private:
    enum class Answer { Best, NoBetter, GaveUp };

    int box_row(std::size_t r) const { return static_cast<int>(r) + 1; }
    int cpu_row(std::size_t r) const { return static_cast<int>(boxes_.size() + r) + 1; }
    int group_row(std::size_t g) const { return static_cast<int>(2 * boxes_.size() + g) + 1; }

    void add_rows() {
        // Sums of sizes are multiples of what divides them all: whole units lose nothing.
        std::int64_t unit = 0;
        for (const Group& group : groups_) unit = std::gcd(unit, group.size);
        unit = std::max<std::int64_t>(unit, 1);
        std::int64_t all_vcpus = 0;
        for (Group& group : groups_) {
            group.size /= unit;
            all_vcpus += group.item.vcpus * static_cast<std::int64_t>(group.members.size());
        }
        glp_add_rows(problem_.get(), static_cast<int>(2 * boxes_.size() + groups_.size()));
        for (std::size_t r = 0; r < boxes_.size(); ++r) {
            const std::int64_t free = std::max<std::int64_t>(boxes_[r].free, 0);
            glp_set_row_bnds(problem_.get(), box_row(r), GLP_UP, 0,
                             static_cast<double>(free / mebibyte / unit));
            const std::int64_t vcpus = std::max<std::int64_t>(boxes_[r].vcpus, 0);
            glp_set_row_bnds(problem_.get(), cpu_row(r), vcpus < all_vcpus ? GLP_UP : GLP_FR, 0,
                             static_cast<double>(std::min(vcpus, all_vcpus)));
        }
        for (std::size_t g = 0; g < groups_.size(); ++g)
            glp_set_row_bnds(problem_.get(), group_row(g), GLP_UP, 0,
                             static_cast<double>(groups_[g].members.size()));
    }

    void add_columns() {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            columns_.emplace_back(boxes_.size(), 0);
            for (std::size_t r = 0; r < boxes_.size(); ++r) {
                if (!groups_[g].allowed[r]) continue;
                const int column = glp_add_cols(problem_.get(), 1);
                columns_[g][r] = column;
                glp_set_col_kind(problem_.get(), column, GLP_IV);
                glp_set_col_bnds(problem_.get(), column, GLP_DB, 0,
                                 static_cast<double>(groups_[g].members.size()));
                // GLPK counts from 1: element 0 of both arrays is not read.
                const int rows[] = {0, box_row(r), cpu_row(r), group_row(g)};
                const double factors[] = {0, static_cast<double>(groups_[g].size),
                                          static_cast<double>(groups_[g].item.vcpus), 1};
                glp_set_mat_col(problem_.get(), column, 3, rows, factors);
            }
        }
    }

    /// At most one of each apart group in each box.
    void add_apart_rows() {
        std::map<std::pair<std::size_t, std::size_t>, std::vector<int>> sharing;
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (const std::size_t name : groups_[g].item.apart)
                for (std::size_t r = 0; r < boxes_.size(); ++r)
                    if (columns_[g][r] != 0) sharing[{name, r}].push_back(columns_[g][r]);
        for (const auto& [where, columns] : sharing) add_sum_row(columns, GLP_UP, 1);
    }

    /// Each together group chooses one box, and its members go there or nowhere.
    void add_together_rows() {
        std::map<std::size_t, std::map<std::size_t, int>> choices;  // by group, box: a column
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (const std::size_t name : groups_[g].item.together)
                for (std::size_t r = 0; r < boxes_.size(); ++r) {
                    if (columns_[g][r] == 0) continue;
                    int& choice = choices[name][r];
                    if (choice == 0) {
                        choice = glp_add_cols(problem_.get(), 1);
                        glp_set_col_kind(problem_.get(), choice, GLP_BV);
                    }
                    const int row = glp_add_rows(problem_.get(), 1);
                    glp_set_row_bnds(problem_.get(), row, GLP_UP, 0, 0);
                    const int columns[] = {0, columns_[g][r], choice};
                    const double factors[] = {0, 1,
                                              -static_cast<double>(groups_[g].members.size())};
                    glp_set_mat_row(problem_.get(), row, 2, columns, factors);
                }
        for (const auto& [name, by_box] : choices) {
            std::vector<int> columns;
            for (const auto& [box, column] : by_box) columns.push_back(column);
            add_sum_row(columns, GLP_UP, 1);
        }
    }

    /// The sum of these columns is at most (GLP_UP) or at least (GLP_LO) `bound`.
    int add_sum_row(std::vector<int> columns, int kind, double bound) {
        const int row = glp_add_rows(problem_.get(), 1);
        glp_set_row_bnds(problem_.get(), row, kind, bound, bound);
        columns.insert(columns.begin(), 0);
        const std::vector<double> ones(columns.size(), 1.0);
        glp_set_mat_row(problem_.get(), row, static_cast<int>(columns.size()) - 1, columns.data(),
                        ones.data());
        return row;
    }

    /// The highest first, as the groups stand.
    std::vector<int> ranks() const {
        std::vector<int> list;
        for (const Group& group : groups_)
            if (list.empty() || list.back() != group.item.rank) list.push_back(group.item.rank);
        return list;
    }

    long count_of(int rank) const {
        std::size_t count = 0;
        for (const Group& group : groups_)
            if (group.item.rank == rank) count += group.members.size();
        return static_cast<long>(count);
    }

    long placed_of(int rank, const Assignment& known) const {
        long count = 0;
        for (const Group& group : groups_)
            if (group.item.rank == rank)
                count += std::count_if(group.members.begin(), group.members.end(),
                                       [&](std::size_t i) { return known[i] != nowhere; });
        return count;
    }

    std::vector<int> columns_of(int rank) const {
        std::vector<int> columns;
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (const int column : columns_[g])
                if (column != 0 && groups_[g].item.rank == rank) columns.push_back(column);
        return columns;
    }

    Answer maximize(const std::vector<int>& columns) {
        for (int column = 1; column <= glp_get_num_cols(problem_.get()); ++column)
            glp_set_obj_coef(problem_.get(), column, 0);
        for (const int column : columns) glp_set_obj_coef(problem_.get(), column, 1);
        glp_iocp options;
        glp_init_iocp(&options);
        options.msg_lev = GLP_MSG_OFF;
        options.presolve = GLP_ON;
        options.mir_cuts = GLP_ON;
        options.cov_cuts = GLP_ON;
        const auto left = deadline_.remaining(real_now().mono).count();
        if (left < shortest_search_ms) return Answer::GaveUp;
        options.tm_lim = static_cast<int>(left);
        const int result = glp_intopt(problem_.get(), &options);
        if (result == GLP_ENOPFS) return Answer::NoBetter;
        const int status = glp_mip_status(problem_.get());
        if (result == 0 && status == GLP_NOFEAS) return Answer::NoBetter;
        if (status != GLP_OPT && status != GLP_FEAS) return Answer::GaveUp;
        take_counts();
        return status == GLP_OPT ? Answer::Best : Answer::GaveUp;
    }

    void take_counts() {
        counts_.assign(groups_.size(), std::vector<long>(boxes_.size(), 0));
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (std::size_t r = 0; r < boxes_.size(); ++r)
                if (columns_[g][r] != 0)
                    counts_[g][r] = std::lround(glp_mip_col_val(problem_.get(), columns_[g][r]));
    }

    const std::vector<PackingProblem::Box>& boxes_;
    std::vector<Group> groups_;
    Deadline deadline_;
    std::unique_ptr<glp_prob, FreeProblem> problem_;
    std::vector<std::vector<int>> columns_;  ///< by group and box; 0: not allowed
    std::vector<std::vector<long>> counts_;  ///< the best packing so far
};

}  // namespace

PackingSearch glpk_packing(Duration limit, std::optional<Deadline> until) {
    return [limit, until](const PackingProblem& problem,
                          const Assignment& known) -> std::optional<SearchedPacking> {
        if (problem.boxes.empty()) return std::nullopt;
        const Instant now = real_now().mono;
        const Deadline deadline = until ? until->within(now, limit) : Deadline{now + limit};
        if (deadline.remaining(now) < Duration{shortest_search_ms}) return std::nullopt;
        std::vector<Group> groups = groups_of(problem);
        if (groups.size() * problem.boxes.size() > most_columns) return std::nullopt;
        Program program(problem, std::move(groups), deadline);
        const bool proven = program.search(known);
        if (!program.found())
            return proven ? std::optional(SearchedPacking{known, true}) : std::nullopt;
        return SearchedPacking{program.assignment(problem.items.size()), proven};
    };
}

}  // namespace domkeeper
