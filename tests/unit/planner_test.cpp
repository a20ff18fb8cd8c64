// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/planner.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace domkeeper;

namespace {

std::map<std::string, std::string> by_domain(const Plan& plan) {
    std::map<std::string, std::string> where;
    for (const Placement& placement : plan.placements) where[placement.domain] = placement.host;
    for (const Refusal& refusal : plan.refusals)
        where[refusal.domain] = refusal_kind_name(refusal.kind);
    return where;
}

Want want(const std::string& name, int gib, int priority = 0, std::vector<std::string> hosts = {}) {
    return {name, gibibytes(gib), priority, std::move(hosts), {}};
}

using Where = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("placements spread over the hosts with most room") {
    const Plan plan = plan_placement({{"a", gibibytes(8)}, {"b", gibibytes(6)}},
                                     {want("x", 2), want("y", 2), want("z", 2)});
    CHECK(by_domain(plan) == Where{{"x", "a"}, {"y", "a"}, {"z", "b"}});
    CHECK(plan.refusals.empty());
}

TEST_CASE("the higher priority gets the room, and the refusal says need and have") {
    const Plan plan = plan_placement({{"a", gibibytes(4)}},
                                     {want("big", 3), want("must", 2, 100), want("small", 1)});
    CHECK(by_domain(plan) == Where{{"must", "a"}, {"small", "a"}, {"big", "not-enough-memory"}});
    REQUIRE(plan.refusals.size() == 1);
    CHECK(plan.refusals[0].need == gibibytes(3));
    // What is left when all others have theirs.
    CHECK(plan.refusals[0].have == gibibytes(1));
    CHECK(plan.refusals[0].text == "needs 3 GiB, the most that is left is 1 GiB on a");
    CHECK(plan.placements[0].domain == "must");
}

TEST_CASE("where spreading leaves a domain out, packing tightly finds a place") {
    // Spreading puts both small ones on different hosts and has no room for the last.
    const Plan plan = plan_placement({{"a", gibibytes(4)}, {"b", gibibytes(5)}},
                                     {want("p", 2, 10), want("q", 2, 10), want("r", 5)});
    CHECK(by_domain(plan) == Where{{"p", "a"}, {"q", "a"}, {"r", "b"}});
}

TEST_CASE("allowed and avoided hosts") {
    Want avoiding = want("x", 1);
    avoiding.avoid = {"a"};
    CHECK(by_domain(plan_placement({{"a", gibibytes(8)}, {"b", gibibytes(2)}}, {avoiding})) ==
          Where{{"x", "b"}});
    CHECK(by_domain(plan_placement({{"a", gibibytes(8)}}, {avoiding})) ==
          Where{{"x", "no-allowed-host"}});
    CHECK(by_domain(plan_placement({{"a", gibibytes(8)}, {"b", gibibytes(2)}},
                                   {want("x", 1, 0, {"b"})})) == Where{{"x", "b"}});
    CHECK(by_domain(plan_placement({}, {want("x", 1)})) == Where{{"x", "no-allowed-host"}});
}

TEST_CASE("domains of one apart group never share a host") {
    Want one = want("db1", 1);
    Want two = want("db2", 1);
    Want three = want("db3", 1);
    for (Want* each : {&one, &two, &three}) each->apart = {"db"};
    const std::vector<Room> rooms{{"a", gibibytes(9)}, {"b", gibibytes(2)}};
    const Plan plan = plan_placement(rooms, {one, two, three});
    CHECK(by_domain(plan) == Where{{"db1", "a"}, {"db2", "b"}, {"db3", "apart"}});
    CHECK(plan.refusals[0].text ==
          "each living host that may run it has a domain of its apart group db");
    std::vector<Room> taken = rooms;
    taken[0].standing.apart = {"db"};
    CHECK(by_domain(plan_placement(taken, {one})) == Where{{"db1", "b"}});
}

TEST_CASE("a preferred host is taken first, and another one when it is full") {
    Want wanted = want("x", 2);
    wanted.prefer = {"b"};
    CHECK(by_domain(plan_placement({{"a", gibibytes(9)}, {"b", gibibytes(2)}}, {wanted})) ==
          Where{{"x", "b"}});
    CHECK(by_domain(plan_placement({{"a", gibibytes(9)}, {"b", gibibytes(1)}}, {wanted})) ==
          Where{{"x", "a"}});
}

TEST_CASE("the order of the input changes nothing") {
    const std::vector<Room> rooms{{"a", gibibytes(5)}, {"b", gibibytes(5)}};
    const Plan one = plan_placement(rooms, {want("x", 2), want("y", 2), want("z", 3, 5)});
    const Plan two = plan_placement(rooms, {want("z", 3, 5), want("y", 2), want("x", 2)});
    CHECK(by_domain(one) == by_domain(two));
}

TEST_CASE("the room of a host") {
    Host host;
    host.reserve = gibibytes(1);
    HostView view;
    view.memory_total = gibibytes(16);
    DomainView running;
    running.state = DomainState::Running;
    running.memory = gibibytes(2);
    running.memory_max = gibibytes(4);
    DomainView off = running;
    off.state = DomainState::ShutOff;
    view.domains = {running, off};
    SECTION("total less reserve less the maximum of what is active") {
        CHECK(room_of(host, view) == gibibytes(11));
    }
    SECTION("never more than the hypervisor could give") {
        view.memory_free = gibibytes(5);
        CHECK(room_of(host, view) == gibibytes(4));
    }
    SECTION("the cluster file's figure wins over both") {
        host.memory = gibibytes(32);
        view.memory_free = gibibytes(5);
        CHECK(room_of(host, view) == gibibytes(27));
    }
    SECTION("what can't be told counts as active") {
        view.domains[1].state = DomainState::Unknown;
        CHECK(room_of(host, view) == gibibytes(7));
    }
}
