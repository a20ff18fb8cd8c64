// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>
#include <random>

#include "lib/core/planner.hpp"
#include "lib/io/glpk_packing.hpp"

using namespace domkeeper;

namespace {

Want want(const std::string& name, int gib, int priority = 0, std::vector<std::string> hosts = {}) {
    return {name, gibibytes(gib), priority, std::move(hosts), {}};
}

/// No host has more on it than it has room for, and nobody is where it may not be.
bool keeps_rules(const Plan& plan, std::vector<Room> rooms, const std::vector<Want>& wants) {
    for (const Placement& placement : plan.placements) {
        const auto room = std::find_if(rooms.begin(), rooms.end(),
                                       [&](const Room& r) { return r.host == placement.host; });
        const auto found = std::find_if(wants.begin(), wants.end(), [&](const Want& w) {
            return w.domain == placement.domain;
        });
        if (room == rooms.end() || found == wants.end() || !may_go(*found, *room)) return false;
        room->free -= found->memory;
        room->standing.add(*found);
        if (room->free < Bytes{0}) return false;
    }
    return plan.placements.size() + plan.refusals.size() == wants.size();
}

/// Whether first fit, best fit or worst fit by falling size places all of them.
bool fits_simply(const std::vector<Room>& rooms, std::vector<Want> wants) {
    std::stable_sort(wants.begin(), wants.end(),
                     [](const Want& a, const Want& b) { return a.memory > b.memory; });
    for (int fit = 0; fit < 3; ++fit) {
        std::vector<Room> left = rooms;
        bool all = true;
        for (const Want& each : wants) {
            Room* best = nullptr;
            for (Room& room : left) {
                if (room.free < each.memory || !may_go(each, room)) continue;
                if (best == nullptr || (fit == 1 && room.free < best->free) ||
                    (fit == 2 && room.free > best->free))
                    best = &room;
            }
            all = all && best != nullptr;
            if (best == nullptr) break;
            best->free -= each.memory;
            best->standing.add(each);
        }
        if (all) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("where first, best and worst fit all fail, the search finds the packing", "[packing]") {
    // 5+5, 4+3+3 and 4+3+3 fill three hosts; whoever goes by size alone puts 4 and 4 together.
    const std::vector<Room> rooms{{"a", gibibytes(10)}, {"b", gibibytes(10)}, {"c", gibibytes(10)}};
    const std::vector<Want> wants{want("p", 5), want("q", 5), want("r", 4), want("s", 4),
                                  want("t", 3), want("u", 3), want("v", 3), want("w", 3)};
    const PackingProblem problem = problem_of(rooms, wants);
    const Assignment none(wants.size(), nowhere);
    const auto searched = glpk_packing(Duration{5'000})(problem, none);
    REQUIRE(searched);
    CHECK(searched->proven);
    CHECK(is_full(searched->assignment));
    CHECK(is_sound(problem, searched->assignment));
    const Plan quick = plan_placement(rooms, wants);
    CHECK(quick.refusals.empty());
    CHECK(keeps_rules(quick, rooms, wants));
}

TEST_CASE("what no packing can hold is refused as proven, the important ones first", "[packing]") {
    const std::vector<Room> rooms{{"a", gibibytes(4)}, {"b", gibibytes(4)}};
    const std::vector<Want> wants{want("low1", 2), want("low2", 2), want("high", 3, 10),
                                  want("mid", 3, 5)};
    const Plan plan = plan_placement(rooms, wants, glpk_packing(Duration{5'000}));
    CHECK(keeps_rules(plan, rooms, wants));
    REQUIRE(plan.refusals.size() == 2);
    CHECK(plan.refusals[0].domain == "low1");
    CHECK(plan.refusals[0].text ==
          "needs 2 GiB, the most that is left is 1 GiB on a; no other packing has room for it");
    SECTION("what fits on no host at all needs no search to be sure of it") {
        const Plan none = plan_placement(rooms, {want("huge", 9)}, glpk_packing());
        REQUIRE(none.refusals.size() == 1);
        CHECK(none.refusals[0].text ==
              "needs 9 GiB, the most that is left is 4 GiB on a; no other packing has room for it");
    }
    SECTION("a search without time says that it gave up") {
        const Plan hasty = plan_placement(rooms, wants, glpk_packing(Duration{0}));
        REQUIRE(hasty.refusals.size() == 2);
        CHECK(hasty.refusals[0].text ==
              "needs 2 GiB, the most that is left is 1 GiB on a; the search for a better packing "
              "was given up");
    }
    SECTION("a faulty search is not believed") {
        const PackingSearch faulty = [](const PackingProblem& problem, const Assignment&) {
            return SearchedPacking{Assignment(problem.items.size(), 0), true};
        };
        const Plan kept = plan_placement(rooms, wants, faulty);
        CHECK(keeps_rules(kept, rooms, wants));
        CHECK(kept.refusals.size() == 2);
    }
}

TEST_CASE("the search keeps domains apart, too", "[packing]") {
    // Tightly packed, and the fives may not meet: 5+3+2 twice, or not at all.
    const std::vector<Room> rooms{{"a", gibibytes(10)}, {"b", gibibytes(10)}};
    std::vector<Want> wants{want("p", 5), want("q", 5), want("r", 3),
                            want("s", 3), want("t", 2), want("u", 2)};
    wants[0].apart = wants[1].apart = {"db"};
    wants[2].apart = wants[3].apart = {"web"};
    wants[4].apart = wants[5].apart = {"mail"};
    const Plan plan = plan_placement(rooms, wants, glpk_packing(Duration{5'000}));
    CHECK(plan.refusals.empty());
    CHECK(keeps_rules(plan, rooms, wants));
    wants.push_back(want("v", 0));
    wants.back().apart = {"db"};
    const Plan one_out = plan_placement(rooms, wants, glpk_packing(Duration{5'000}));
    REQUIRE(one_out.refusals.size() == 1);
    CHECK(one_out.refusals[0].kind == RefusalKind::Apart);
    CHECK(keeps_rules(one_out, rooms, wants));
}

TEST_CASE("random clusters that are known to fit: a placement is found and breaks no rule",
          "[packing]") {
    const unsigned seed = 20261122;
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto dice = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    int simple_failed = 0;
    for (int round = 0; round < 100; ++round) {
        // Cut each host's room into domains, so that a packing without any waste exists.
        std::vector<Room> rooms;
        std::vector<Want> wants;
        const int hosts = dice(2, 5);
        for (int h = 0; h < hosts; ++h) {
            const int size = dice(12, 20);
            rooms.push_back({"h" + std::to_string(h), gibibytes(size)});
            for (int left = size; left > 0;) {
                const int piece = left < 6 ? left : std::min(left, dice(3, 7));
                wants.push_back(want("d" + std::to_string(wants.size()), piece));
                // One of a group on each host: the known packing keeps to it.
                if (left == size) wants.back().apart = {"first"};
                left -= piece;
            }
        }
        CAPTURE(round);
        const Plan quick = plan_placement(rooms, wants);
        CHECK(keeps_rules(quick, rooms, wants));
        const Plan searched = plan_placement(rooms, wants, glpk_packing(Duration{5'000}));
        CHECK(keeps_rules(searched, rooms, wants));
        CHECK(searched.refusals.empty());
        if (!fits_simply(rooms, wants)) ++simple_failed;
    }
    CHECK(simple_failed > 10);
}
