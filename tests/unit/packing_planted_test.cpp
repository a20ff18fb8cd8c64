// SPDX-License-Identifier: GPL-3.0-or-later
// Packings that exist since they were planted, at the sizes of real clusters: whoever goes by size
// alone fails, the planner finds them.
#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "lib/core/planner.hpp"
#include "lib/io/glpk_packing.hpp"

using namespace domkeeper;

namespace {

struct Planted {
    std::vector<Room> rooms;
    std::vector<Want> wants;
};

/// Each room is cut into pieces, and the rules are such that this way of packing keeps them.
/// Nothing is left over; with rules so many units for each host.
Planted plant(unsigned seed, int hosts, int pieces_each, int unit_mib, int slack, bool with_rules) {
    std::mt19937 random(seed);
    const auto dice = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    Planted planted;
    for (int h = 0; h < hosts; ++h) {
        Room room{"h" + std::to_string(h), {}};
        int vcpus = 0;
        for (int k = 0; k < pieces_each; ++k) {
            Want want{"d" + std::to_string(planted.wants.size()),
                      mebibytes(std::int64_t{unit_mib} * dice(2, 32)),
                      dice(0, 2) * 10,
                      {},
                      {}};
            want.vcpus = dice(1, 4);
            vcpus += want.vcpus;
            room.free += want.memory;
            if (with_rules && k == 0) want.apart = {"first"};
            if (with_rules && k < 2 && h % 4 == 0) want.together = {"pair" + std::to_string(h)};
            if (with_rules && k == 2 && h % 3 == 0) {
                want.needs = {"gpu"};
                room.standing.offers = {"gpu"};
            }
            planted.wants.push_back(std::move(want));
        }
        if (with_rules) {
            room.standing.vcpus = vcpus + pieces_each / 2;
            room.free += mebibytes(std::int64_t{unit_mib} * slack);
        }
        planted.rooms.push_back(std::move(room));
    }
    std::shuffle(planted.wants.begin(), planted.wants.end(), random);
    return planted;
}

/// First, best or worst fit by falling size, without any second thought.
bool fits_simply(const Planted& planted) {
    std::vector<Want> wants = planted.wants;
    std::stable_sort(wants.begin(), wants.end(), [](const Want& a, const Want& b) {
        return std::pair(a.priority, a.memory) > std::pair(b.priority, b.memory);
    });
    const PackingProblem problem = problem_of(planted.rooms, wants);
    for (int fit = 0; fit < 3; ++fit) {
        Packing packing(problem);
        std::size_t placed = 0;
        for (std::size_t i = 0; i < wants.size(); ++i) {
            std::size_t best = nowhere;
            for (std::size_t box = 0; box < problem.boxes.size(); ++box)
                if (packing.fits(i, box) &&
                    (best == nowhere || (fit == 1 && packing.free(box) < packing.free(best)) ||
                     (fit == 2 && packing.free(box) > packing.free(best))))
                    best = box;
            if (best == nowhere) break;
            packing.put(i, best);
            ++placed;
        }
        if (placed == wants.size()) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("planted packings are found at every size", "[packing][planted]") {
    struct Case {
        int hosts, pieces_each, unit_mib, slack, rounds;
        bool with_rules;
    };
    const Case cases[] = {
        {3, 4, 256, 0, 20, false},  {8, 8, 256, 0, 10, false}, {16, 12, 256, 0, 4, false},
        {64, 31, 256, 0, 2, false}, {64, 31, 64, 0, 1, false}, {3, 5, 256, 0, 20, true},
        {8, 8, 256, 1, 10, true},   {16, 12, 256, 2, 4, true}, {64, 31, 256, 4, 1, true},
    };
    int simple_failed = 0;
    int rounds = 0;
    for (const Case& c : cases)
        for (int round = 0; round < c.rounds; ++round) {
            const auto seed = static_cast<unsigned>(20261122 + round);
            CAPTURE(seed, c.hosts, c.pieces_each, c.unit_mib, c.with_rules);
            const Planted planted =
                plant(seed, c.hosts, c.pieces_each, c.unit_mib, c.slack, c.with_rules);
            const Plan plan =
                plan_placement(planted.rooms, planted.wants, glpk_packing(Duration{5'000}));
            CHECK(plan.refusals.empty());
            ++rounds;
            if (!fits_simply(planted)) ++simple_failed;
        }
    // The instances are worth their name.
    CHECK(simple_failed * 10 > rounds * 8);
}

TEST_CASE("the same question gets the same answer", "[packing][planted]") {
    Planted planted = plant(7, 12, 9, 256, 2, true);
    const Plan one = plan_placement(planted.rooms, planted.wants);
    std::reverse(planted.wants.begin(), planted.wants.end());
    const Plan two = plan_placement(planted.rooms, planted.wants);
    REQUIRE(one.placements.size() == two.placements.size());
    for (std::size_t i = 0; i < one.placements.size(); ++i) {
        CHECK(one.placements[i].domain == two.placements[i].domain);
        CHECK(one.placements[i].host == two.placements[i].host);
    }
}

TEST_CASE("no refusal is called proven that a full search would not refuse", "[packing]") {
    std::mt19937 random(20261122);
    const auto dice = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    for (int round = 0; round < 300; ++round) {
        CAPTURE(round);
        std::vector<Room> rooms;
        std::vector<Want> wants;
        for (int h = dice(1, 3); h > 0; --h) {
            rooms.push_back({"h" + std::to_string(h), gibibytes(dice(1, 8))});
            rooms.back().standing.vcpus = dice(1, 9);
        }
        for (int d = dice(1, 6); d > 0; --d) {
            wants.push_back({"d" + std::to_string(d), gibibytes(dice(1, 5)), dice(0, 1), {}, {}});
            wants.back().vcpus = dice(1, 4);
            if (dice(1, 4) == 1) wants.back().apart = {"a"};
            if (dice(1, 4) == 1) wants.back().together = {"t"};
        }
        std::stable_sort(wants.begin(), wants.end(),
                         [](const Want& a, const Want& b) { return a.priority > b.priority; });
        const PackingProblem problem = problem_of(rooms, wants);
        // Every assignment there is.
        Assignment best(wants.size(), nowhere), now(wants.size(), nowhere);
        std::size_t all = 1;
        for (std::size_t i = 0; i < wants.size(); ++i) all *= rooms.size() + 1;
        for (std::size_t code = 0; code < all; ++code) {
            std::size_t rest = code;
            for (std::size_t i = 0; i < wants.size(); ++i, rest /= rooms.size() + 1)
                now[i] =
                    rest % (rooms.size() + 1) == rooms.size() ? nowhere : rest % (rooms.size() + 1);
            if (places_more(problem, now, best) && is_sound(problem, now)) best = now;
        }
        const Assignment quick = pack_quickly(problem);
        CHECK(is_sound(problem, quick));
        CHECK_FALSE(places_more(problem, quick, best));
        if (is_surely_best(problem, quick)) CHECK_FALSE(places_more(problem, best, quick));
        const auto found = glpk_packing(Duration{10'000})(problem, quick);
        REQUIRE(found);
        CHECK(found->proven);
        CHECK(is_sound(problem, found->assignment));
        CHECK_FALSE(places_more(problem, best, found->assignment));
        const Assignment wished = with_more_wishes(problem, found->assignment);
        CHECK(is_sound(problem, wished));
        std::vector<std::size_t> everything(wants.size());
        std::iota(everything.begin(), everything.end(), std::size_t{0});
        const auto exact = pack_exactly(problem, everything, 1'000'000);
        CHECK(exact.has_value() == is_full(best));
        if (exact) CHECK((is_sound(problem, *exact) && is_full(*exact)));
    }
}

TEST_CASE("what was cut out of the room without any waste is placed without a solver",
          "[packing]") {
    std::mt19937 random(20261123);
    const auto dice = [&](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    for (const int hosts : {7, 14, 28, 56})
        for (int round = 0; round < 10; ++round) {
            CAPTURE(hosts, round);
            std::vector<Room> rooms;
            std::vector<Want> wants;
            for (int h = 0; h < hosts; ++h) {
                int left = dice(24, 80);  // quarters of a GiB
                rooms.push_back({"h" + std::to_string(h), mebibytes(left * 256)});
                while (left > 0) {
                    const int piece = left < 4 ? left : std::min(left, dice(6, 40));
                    wants.push_back(
                        {"d" + std::to_string(wants.size()), mebibytes(piece * 256), 0, {}, {}});
                    left -= piece;
                }
            }
            std::shuffle(wants.begin(), wants.end(), random);
            const PackingProblem problem = problem_of(rooms, wants);
            const Assignment quick = pack_quickly(problem);
            CHECK(is_sound(problem, quick));
            CHECK(is_full(quick));
        }
}
