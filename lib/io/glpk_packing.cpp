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

struct FreeProblem {
    void operator()(glp_prob* problem) const { glp_delete_prob(problem); }
};

/// Wants that differ in nothing but their names: to tell them apart would make the search walk
/// through every exchange of two of them.
struct Group {
    std::int64_t size = 0;  ///< MiB, later in units that all groups share
    int priority = 0;
    std::vector<std::size_t> members;  ///< indices of wants
    std::vector<bool> allowed;         ///< for each room
    std::vector<std::string> apart;    ///< never two of one of these in one room
};

std::vector<Group> groups_of(const std::vector<Room>& rooms, const std::vector<Want>& wants) {
    using Key = std::tuple<int, std::int64_t, std::vector<bool>, std::vector<std::string>>;
    std::map<Key, Group> groups;
    for (std::size_t i = 0; i < wants.size(); ++i) {
        const std::int64_t size = (wants[i].memory.count + mebibyte - 1) / mebibyte;
        std::vector<bool> allowed;
        for (const Room& room : rooms)
            allowed.push_back(may_go(wants[i], room) && room.free >= wants[i].memory);
        Group& group = groups[{-wants[i].priority, -size, allowed, wants[i].apart}];
        group.size = size;
        group.priority = wants[i].priority;
        group.allowed = allowed;
        group.apart = wants[i].apart;
        group.members.push_back(i);
    }
    std::vector<Group> list;
    for (auto& [key, group] : groups) list.push_back(std::move(group));
    return list;
}

/// The integer program: a column for each group and room that may take it, how many of the group
/// go there; a row for each room (memory) and each group (no more than there are).
class Program {
  public:
    Program(const std::vector<Room>& rooms, std::vector<Group> groups, Deadline deadline)
        : rooms_(rooms), groups_(std::move(groups)), deadline_(deadline) {
        glp_term_out(GLP_OFF);
        problem_.reset(glp_create_prob());
        glp_set_obj_dir(problem_.get(), GLP_MAX);
        add_rows();
        add_columns();
        add_apart_rows();
    }

    /// Most of each priority in turn, from the one of wants[sure] on. True when all of it is
    /// proven.
    bool search(const std::vector<Want>& wants, std::size_t sure) {
        const int first = wants[sure].priority;
        std::vector<int> priorities;
        for (const Group& group : groups_) {
            if (group.priority > first)
                require(group.priority, count_of(group.priority));
            else if (priorities.empty() || priorities.back() != group.priority)
                priorities.push_back(group.priority);
        }
        for (const int priority : priorities) {
            if (columns_of(priority).empty()) continue;  // none of them fits anywhere
            if (!maximize(priority)) return false;
            require(priority, std::lround(glp_mip_obj_val(problem_.get())));
        }
        if (counts_.empty()) counts_.assign(groups_.size(), std::vector<long>(rooms_.size(), 0));
        return true;
    }

    /// False before any packing was found.
    bool found() const { return !counts_.empty(); }

    Packing packing(std::size_t wants) const {
        Packing packing;
        packing.rooms.resize(wants);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            std::size_t next = 0;
            for (std::size_t r = 0; r < rooms_.size(); ++r)
                for (long n = counts_[g][r]; n > 0 && next < groups_[g].members.size(); --n)
                    packing.rooms[groups_[g].members[next++]] = r;
        }
        return packing;
    }

  private:
    int room_row(std::size_t r) const { return static_cast<int>(r) + 1; }
    int group_row(std::size_t g) const { return static_cast<int>(rooms_.size() + g) + 1; }

    void add_rows() {
        // Sums of sizes are multiples of what divides them all: whole units lose nothing.
        std::int64_t unit = 0;
        for (const Group& group : groups_) unit = std::gcd(unit, group.size);
        unit = std::max<std::int64_t>(unit, 1);
        for (Group& group : groups_) group.size /= unit;
        glp_add_rows(problem_.get(), static_cast<int>(rooms_.size() + groups_.size()));
        for (std::size_t r = 0; r < rooms_.size(); ++r) {
            const std::int64_t free = std::max<std::int64_t>(rooms_[r].free.count, 0);
            glp_set_row_bnds(problem_.get(), room_row(r), GLP_UP, 0,
                             static_cast<double>(free / mebibyte / unit));
        }
        for (std::size_t g = 0; g < groups_.size(); ++g)
            glp_set_row_bnds(problem_.get(), group_row(g), GLP_UP, 0,
                             static_cast<double>(groups_[g].members.size()));
    }

    void add_columns() {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            columns_.emplace_back(rooms_.size(), 0);
            for (std::size_t r = 0; r < rooms_.size(); ++r) {
                if (!groups_[g].allowed[r]) continue;
                const int column = glp_add_cols(problem_.get(), 1);
                columns_[g][r] = column;
                glp_set_col_kind(problem_.get(), column, GLP_IV);
                glp_set_col_bnds(problem_.get(), column, GLP_DB, 0,
                                 static_cast<double>(groups_[g].members.size()));
                // GLPK counts from 1: element 0 of both arrays is not read.
                const int rows[] = {0, room_row(r), group_row(g)};
                const double factors[] = {0, static_cast<double>(groups_[g].size), 1};
                glp_set_mat_col(problem_.get(), column, 2, rows, factors);
            }
        }
    }

    /// At most one of each apart group in each room.
    void add_apart_rows() {
        std::map<std::pair<std::string, std::size_t>, std::vector<int>> together;
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (const std::string& name : groups_[g].apart)
                for (std::size_t r = 0; r < rooms_.size(); ++r)
                    if (columns_[g][r] != 0) together[{name, r}].push_back(columns_[g][r]);
        for (const auto& [where, columns] : together) add_sum_row(columns, GLP_UP, 1);
    }

    /// The sum of these columns is at most (GLP_UP) or at least (GLP_LO) `bound`.
    void add_sum_row(std::vector<int> columns, int kind, double bound) {
        const int row = glp_add_rows(problem_.get(), 1);
        glp_set_row_bnds(problem_.get(), row, kind, bound, bound);
        columns.insert(columns.begin(), 0);
        const std::vector<double> ones(columns.size(), 1.0);
        glp_set_mat_row(problem_.get(), row, static_cast<int>(columns.size()) - 1, columns.data(),
                        ones.data());
    }

    long count_of(int priority) const {
        std::size_t count = 0;
        for (const Group& group : groups_)
            if (group.priority == priority) count += group.members.size();
        return static_cast<long>(count);
    }

    std::vector<int> columns_of(int priority) const {
        std::vector<int> columns;
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (const int column : columns_[g])
                if (column != 0 && groups_[g].priority == priority) columns.push_back(column);
        return columns;
    }

    /// From now on at least so many of that priority are placed.
    void require(int priority, long count) {
        add_sum_row(columns_of(priority), GLP_LO, static_cast<double>(count));
    }

    bool maximize(int priority) {
        for (int column = 1; column <= glp_get_num_cols(problem_.get()); ++column)
            glp_set_obj_coef(problem_.get(), column, 0);
        for (const int column : columns_of(priority)) glp_set_obj_coef(problem_.get(), column, 1);
        glp_iocp options;
        glp_init_iocp(&options);
        options.msg_lev = GLP_MSG_OFF;
        options.presolve = GLP_ON;
        options.mir_cuts = GLP_ON;
        options.cov_cuts = GLP_ON;
        const auto left = deadline_.remaining(real_now().mono).count();
        if (left < shortest_search_ms) return false;
        options.tm_lim = static_cast<int>(left);
        glp_intopt(problem_.get(), &options);
        const int status = glp_mip_status(problem_.get());
        if (status != GLP_OPT && status != GLP_FEAS) return false;
        take_counts();
        return status == GLP_OPT;
    }

    void take_counts() {
        counts_.assign(groups_.size(), std::vector<long>(rooms_.size(), 0));
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (std::size_t r = 0; r < rooms_.size(); ++r)
                if (columns_[g][r] != 0)
                    counts_[g][r] = std::lround(glp_mip_col_val(problem_.get(), columns_[g][r]));
    }

    const std::vector<Room>& rooms_;
    std::vector<Group> groups_;
    Deadline deadline_;
    std::unique_ptr<glp_prob, FreeProblem> problem_;
    std::vector<std::vector<int>> columns_;  ///< by group and room; 0: not allowed
    std::vector<std::vector<long>> counts_;  ///< the best packing so far
};

}  // namespace

PackingSearch glpk_packing(Duration limit, std::optional<Deadline> until) {
    return [limit, until](const std::vector<Room>& rooms, const std::vector<Want>& wants,
                          std::size_t sure) -> std::optional<Packing> {
        if (rooms.empty() || sure >= wants.size()) return std::nullopt;
        const Instant now = real_now().mono;
        const Deadline deadline = until ? until->within(now, limit) : Deadline{now + limit};
        Program program(rooms, groups_of(rooms, wants), deadline);
        const bool proven = program.search(wants, sure);
        if (!program.found()) return std::nullopt;
        Packing packing = program.packing(wants.size());
        packing.proven = proven;
        return packing;
    };
}

}  // namespace domkeeper
