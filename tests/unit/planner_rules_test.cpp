// SPDX-License-Identifier: GPL-3.0-or-later
// Together, rather apart, virtual CPUs, needs, and who is stopped for whom.
#include <catch2/catch.hpp>
#include <map>

#include "lib/core/planner.hpp"
#include "lib/io/glpk_packing.hpp"
#include "tests/unit/views.hpp"

using namespace domkeeper;

namespace {

using Where = std::map<std::string, std::string>;

Where by_domain(const Plan& plan) {
    Where where;
    for (const Placement& placement : plan.placements) where[placement.domain] = placement.host;
    for (const Refusal& refusal : plan.refusals)
        where[refusal.domain] = refusal_kind_name(refusal.kind);
    return where;
}

Want want(const std::string& name, int gib, int priority = 0) {
    return {name, gibibytes(gib), priority, {}, {}};
}

Room room(const std::string& name, int gib) {
    return {name, gibibytes(gib)};
}

std::string text_of(const Plan& plan, const std::string& domain) {
    for (const Placement& placement : plan.placements)
        if (placement.domain == domain) return placement.reason;
    for (const Refusal& refusal : plan.refusals)
        if (refusal.domain == domain) return refusal.text;
    return {};
}

}  // namespace

TEST_CASE("a together group goes to one host", "[planner]") {
    Want web = want("web", 3), cache = want("cache", 2), other = want("other", 4);
    web.together = cache.together = {"front"};
    SECTION("the one with room for all of it, not the one with most room for the first") {
        Plan plan = plan_placement({room("a", 4), room("b", 5)}, {web, cache});
        CHECK(by_domain(plan) == Where{{"web", "b"}, {"cache", "b"}});
        CHECK(text_of(plan, "cache") ==
              "2 GiB free on b, needs 2 GiB; with its together group front");
    }
    SECTION("where one of it runs already") {
        Room there = room("a", 5);
        there.standing.together = {"front"};
        CHECK(by_domain(plan_placement({there, room("b", 50)}, {web, cache})) ==
              Where{{"web", "a"}, {"cache", "a"}});
        CHECK(by_domain(plan_placement({there, room("b", 50)}, {web, cache, other})) ==
              Where{{"web", "a"}, {"cache", "a"}, {"other", "b"}});
    }
    SECTION("the more important ones of it, where there is no room for all") {
        web.priority = 5;
        const Plan plan = plan_placement({room("a", 4), room("b", 3)}, {web, cache},
                                         glpk_packing(Duration{5'000}));
        CHECK(by_domain(plan) == Where{{"web", "a"}, {"cache", "together"}});
        CHECK(text_of(plan, "cache") ==
              "needs 2 GiB, the most that is left is 1 GiB on a (it must be with its together "
              "group front)");
    }
    SECTION("and stays down where its host can't take it") {
        Room there = room("a", 1);
        there.standing.together = {"front"};
        cache.hosts = {"b"};
        const Plan plan = plan_placement({there, room("b", 50)}, {web, cache});
        CHECK(by_domain(plan) == Where{{"web", "together"}, {"cache", "together"}});
        CHECK(text_of(plan, "cache") == "its together group front is on a host that can't take it");
    }
    SECTION("through a chain of groups") {
        web.together = {"front", "chain"};
        other.together = {"chain"};
        CHECK(by_domain(plan_placement({room("a", 8), room("b", 9)}, {web, cache, other})) ==
              Where{{"web", "b"}, {"cache", "b"}, {"other", "b"}});
    }
}

TEST_CASE("the solver keeps groups together as well", "[planner]") {
    // Only a+b on one host, c+d on the other, and e where 1 GiB is left, is a full packing.
    std::vector<Want> wants{want("a", 5), want("b", 4), want("c", 6), want("d", 3), want("e", 1)};
    wants[0].together = wants[1].together = {"one"};
    wants[2].together = wants[3].together = {"two"};
    const PackingProblem problem = problem_of({room("x", 9), room("y", 10)}, wants);
    const auto found = glpk_packing(Duration{5'000})(problem, Assignment(5, nowhere));
    REQUIRE(found);
    CHECK(found->proven);
    CHECK(is_full(found->assignment));
    CHECK(is_sound(problem, found->assignment));
    CHECK(found->assignment[0] == found->assignment[1]);
    CHECK(found->assignment[2] == found->assignment[3]);
}

TEST_CASE("wishes are met where that costs nobody his place", "[planner]") {
    Want one = want("one", 2), two = want("two", 2);
    SECTION("rather apart") {
        one.rather_apart = two.rather_apart = {"db"};
        CHECK(by_domain(plan_placement({room("a", 9), room("b", 2)}, {one, two})) ==
              Where{{"one", "a"}, {"two", "b"}});
        const Plan plan = plan_placement({room("a", 9), room("b", 1)}, {one, two});
        CHECK(by_domain(plan) == Where{{"one", "a"}, {"two", "a"}});
        CHECK(text_of(plan, "two") ==
              "7 GiB free on a, needs 2 GiB; although group db is there, which it should rather "
              "be apart from");
    }
    SECTION("rather together") {
        one.rather_together = two.rather_together = {"app"};
        CHECK(by_domain(plan_placement({room("a", 4), room("b", 3)}, {one, two})) ==
              Where{{"one", "a"}, {"two", "a"}});
        CHECK(by_domain(plan_placement({room("a", 3), room("b", 2)}, {one, two})) ==
              Where{{"one", "a"}, {"two", "b"}});
    }
    SECTION("beside one that runs already") {
        one.rather_together = {"app"};
        Room there = room("a", 3);
        there.standing.rather_together = {"app"};
        CHECK(by_domain(plan_placement({there, room("b", 9)}, {one})) == Where{{"one", "a"}});
    }
    SECTION("and never at the price of a place") {
        // Together they would take the room that only the third has.
        one.rather_together = two.rather_together = {"app"};
        const Plan plan =
            plan_placement({room("a", 4), room("b", 2)}, {one, two, want("third", 4, 5)});
        CHECK(plan.refusals.size() == 1);
        Want third = want("third", 4, -5);
        CHECK(plan_placement({room("a", 4), room("b", 4)}, {one, two, third}).refusals.empty());
    }
    SECTION("a changed place with one to whom it is all the same") {
        Want dear = want("dear", 2);
        dear.prefer = {"a"};
        const Plan plan = plan_placement({room("a", 2), room("b", 2)}, {want("any", 2, 9), dear});
        CHECK(by_domain(plan) == Where{{"any", "b"}, {"dear", "a"}});
    }
}

TEST_CASE("virtual CPUs", "[planner]") {
    Inventory inventory;
    Host host;
    host.name = "a";
    HostView view = test::host_view({test::domain_view("x"), test::domain_view("y")});
    view.domains[0].vcpus = 3;
    SECTION("no limit is set") {
        CHECK_FALSE(vcpus_left(inventory, host, view));
    }
    SECTION("so many for each CPU, less those of what is active") {
        inventory.policy.vcpus_per_cpu = 2;
        CHECK(vcpus_left(inventory, host, view) == 12);
        view.domains[0].state = DomainState::ShutOff;
        CHECK(vcpus_left(inventory, host, view) == 15);
        view.cpus = 0;  // not told
        CHECK_FALSE(vcpus_left(inventory, host, view));
    }
    SECTION("the cluster file's figure wins") {
        inventory.policy.vcpus_per_cpu = 2;
        host.vcpus = 5;
        CHECK(vcpus_left(inventory, host, view) == 1);
    }
    SECTION("they limit what is placed") {
        Room a = room("a", 50), b = room("b", 9);
        a.standing.vcpus = 4;
        b.standing.vcpus = 4;
        Want big = want("big", 1), small = want("small", 1), third = want("third", 1);
        big.vcpus = 4;
        small.vcpus = 3;
        third.vcpus = 2;
        const Plan plan = plan_placement({a, b}, {big, small, third}, glpk_packing());
        CHECK(by_domain(plan) == Where{{"big", "a"}, {"small", "b"}, {"third", "not-enough-cpus"}});
        CHECK(text_of(plan, "third") ==
              "needs 2 virtual CPUs; no host with the memory may give out so many; no other "
              "packing has room for it");
    }
}

TEST_CASE("a host must offer what a domain needs", "[planner]") {
    Want gpu = want("gpu", 1);
    gpu.needs = {"gpu", "bridge:br7"};
    Room bare = room("a", 9), able = room("b", 2), unread = room("c", 1);
    bare.standing.offers = {"gpu", "bridge:"};
    able.standing.offers = {"gpu", "bridge:", "bridge:br7"};
    unread.standing.offers = {"gpu"};
    CHECK(by_domain(plan_placement({bare, able}, {gpu})) == Where{{"gpu", "b"}});
    // What could not be read speaks against nobody; what only the cluster file can say does.
    CHECK(by_domain(plan_placement({bare, unread}, {gpu})) == Where{{"gpu", "c"}});
    const Plan plan = plan_placement({bare, room("d", 9)}, {gpu});
    CHECK(by_domain(plan) == Where{{"gpu", "need-unmet"}});
    CHECK(text_of(plan, "gpu") == "no living host that may run it offers gpu");
}

TEST_CASE("best-effort domains are stopped for must-run ones alone", "[planner]") {
    Want must = want("must", 4);
    must.domain_class = DomainClass::MustRun;
    const std::vector<Room> rooms{room("a", 1), room("b", 2)};
    const std::vector<Stoppable> running{{"big", "a", gibibytes(8), 1, 0},
                                         {"small", "b", gibibytes(1), 1, 0},
                                         {"middle", "b", gibibytes(2), 1, 0}};
    const auto stops = [&](const std::vector<Want>& wants) {
        Where where;
        for (const Stop& stop : plan_stops(rooms, wants, plan_placement(rooms, wants), running))
            where[stop.victim.domain] = stop.for_domain;
        return where;
    };
    SECTION("the least that is enough") {
        CHECK(stops({must}) == Where{{"middle", "must"}});
    }
    SECTION("nobody, where it has a place") {
        must.memory = gibibytes(2);
        CHECK(stops({must}).empty());
    }
    SECTION("nobody for any other class") {
        must.domain_class = DomainClass::Normal;
        CHECK(stops({must}).empty());
    }
    SECTION("nobody, where that would not help") {
        must.memory = gibibytes(50);
        CHECK(stops({must}).empty());
        must = want("must", 4);
        must.domain_class = DomainClass::MustRun;
        must.hosts = {"c"};
        CHECK(stops({must}).empty());
    }
    SECTION("for each of several") {
        Want second = must;
        second.domain = "second";
        CHECK(stops({must, second}) == Where{{"middle", "must"}, {"big", "second"}});
    }
    SECTION("on its own hosts") {
        must.hosts = {"a"};
        CHECK(stops({must}) == Where{{"big", "must"}});
    }
}

TEST_CASE("the class comes before the priority", "[planner]") {
    Domain must, normal, best_effort;
    must.domain_class = DomainClass::MustRun;
    must.priority = -1'000'000;
    normal.priority = 1'000'000;
    best_effort.domain_class = DomainClass::BestEffort;
    best_effort.priority = 1'000'000;
    CHECK(rank_of(must) > rank_of(normal));
    normal.priority = -1'000'000;
    CHECK(rank_of(normal) > rank_of(best_effort));
}
