// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/survival.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/views.hpp"

using namespace domkeeper;

namespace {

Want want(const std::string& name, int gib, int priority = 0, std::vector<std::string> hosts = {}) {
    return {name, gibibytes(gib), priority, std::move(hosts), {}};
}

}  // namespace

TEST_CASE("any one host can be lost while the rest have room", "[survival]") {
    const std::vector<HostLoad> loads{{"a", gibibytes(4), {want("x", 2)}},
                                      {"b", gibibytes(2), {want("y", 2), want("z", 2)}}};
    const Survival one = survive_any(loads, 1);
    CHECK(one.hosts == 1);
    CHECK(one.cases == 2);
    CHECK(one.failing == 0);
    CHECK(one.complete);
    CHECK_FALSE(one.worst);
}

TEST_CASE("the worst loss is that of the most important domain, and says what to do",
          "[survival]") {
    const std::vector<HostLoad> loads{{"a", gibibytes(1), {want("x", 3), want("w", 3)}},
                                      {"b", gibibytes(2), {want("db", 3, 100)}},
                                      {"c", gibibytes(2), {}}};
    const Survival one = survive_any(loads, 1);
    CHECK(one.cases == 3);
    CHECK(one.failing == 2);
    REQUIRE(one.worst);
    CHECK(one.worst->lost == std::vector<std::string>{"b"});
    CHECK(explain_loss(*one.worst) ==
          "if b were lost, db would stay down: needs 3 GiB, the most that is left is 2 GiB on c; "
          "1 GiB more there would do");

    SECTION("two at once are worse") {
        const Survival two = survive_any(loads, 2);
        CHECK(two.cases == 3);
        CHECK(two.failing == 3);
        REQUIRE(two.worst);
        CHECK(two.worst->lost == std::vector<std::string>{"a", "b"});
        CHECK(explain_loss(*two.worst) ==
              "if a and b were lost, db would stay down: needs 3 GiB, the most that is left is "
              "2 GiB on c; 1 GiB more there would do (and 2 more domains)");
    }
    SECTION("all at once is no question") {
        CHECK(survive_any(loads, 9).hosts == 2);
        CHECK(survive_any(loads, 0).cases == 0);
        CHECK(survive_any({loads.front()}, 1).cases == 0);
    }
    SECTION("there is an end to the trying, and it is told") {
        const Survival some = survive_any(loads, 1, {}, 2);
        CHECK(some.cases == 2);
        CHECK_FALSE(some.complete);
    }
}

TEST_CASE("a domain that may run nowhere else, and a host that promised too much", "[survival]") {
    const std::vector<HostLoad> pinned{{"a", gibibytes(4), {want("x", 2, 0, {"a"})}},
                                       {"b", gibibytes(4), {}}};
    const Survival one = survive_any(pinned, 1);
    REQUIRE(one.worst);
    CHECK(explain_loss(*one.worst) ==
          "if a were lost, x would stay down: no living host may run it; let it run on another "
          "host, or set restart = \"never\"");

    const std::vector<HostLoad> full{{"a", gibibytes(-3), {}}, {"b", {}, {want("y", 1)}}};
    const Survival over = survive_any(full, 1);
    REQUIRE(over.worst);
    CHECK(explain_loss(*over.worst) ==
          "if b were lost, y would stay down: needs 1 GiB, the most that is left is 0 B on a; "
          "1 GiB more there would do");
}

TEST_CASE("after a loss the domains stand on their new hosts", "[survival]") {
    const std::vector<HostLoad> loads{{"a", gibibytes(4), {want("x", 2)}},
                                      {"b", gibibytes(2), {want("y", 2)}}};
    const Loss loss = plan_loss(loads, {"b"}, {want("new", 2), want("huge", 64)});
    REQUIRE(loss.plan.refusals.size() == 1);
    CHECK(loss.first_refused()->domain == "huge");
    const std::vector<HostLoad> after = loads_after(loads, loss);
    REQUIRE(after.size() == 1);
    CHECK(after[0].free == Bytes{0});
    REQUIRE(after[0].domains.size() == 3);
    CHECK(after[0].domains[0].domain == "x");
}

TEST_CASE("loads hold what a recovery would start elsewhere", "[survival]") {
    Inventory inventory;
    Host host;
    host.name = "a";
    inventory.hosts.push_back(host);
    host.name = "silent";
    inventory.hosts.push_back(host);
    Domain domain;
    domain.name = "web";
    domain.priority = 7;
    inventory.domains.push_back(domain);
    domain.name = "local";
    domain.restart = RestartPolicy::Never;
    inventory.domains.push_back(domain);
    const HostView view = test::host_view({test::domain_view("web"), test::domain_view("local"),
                                           test::domain_view("stranger"),
                                           test::domain_view("web", DomainState::ShutOff)});
    ClusterRecord record;
    for (const char* name : {"web", "stranger"}) {
        DomainRecord seen;
        seen.name = name;
        seen.host = "silent";
        seen.state = DomainState::Running;
        seen.memory = gibibytes(3);
        record.domains.push_back(seen);
    }
    const std::vector<HostLoad> loads = loads_of(inventory, {{"a", view}}, record);
    REQUIRE(loads.size() == 2);
    CHECK(loads[0].open);
    CHECK(loads[0].host == "a");
    CHECK(loads[0].free == gibibytes(4));
    REQUIRE(loads[0].domains.size() == 1);
    CHECK(loads[0].domains[0].domain == "web");
    CHECK(loads[0].domains[0].priority == 7);
    CHECK(loads[0].domains[0].memory == mebibytes(64));

    CHECK_FALSE(loads[1].open);
    REQUIRE(loads[1].domains.size() == 1);
    CHECK(loads[1].domains[0].memory == gibibytes(3));
    CHECK(survive_any(loads, 1).cases == 0);
    CHECK(plan_loss(loads, {"silent"}).plan.placements.at(0).host == "a");
    CHECK(plan_loss(loads, {"a"}).first_refused()->kind == RefusalKind::NoAllowedHost);
}

TEST_CASE("what if a host went for good and a domain came", "[survival]") {
    const std::vector<HostLoad> loads{{"a", gibibytes(4), {want("x", 2)}},
                                      {"b", gibibytes(4), {want("y", 1)}},
                                      {"c", gibibytes(4), {want("z", 1)}}};
    WhatIf question;
    CHECK(answer_what_if(loads, question).all_fit());
    CHECK(answer_what_if(loads, question).losses.size() == 3);
    question.without = {"c"};
    question.added = {want("new", 1)};
    const WhatIfAnswer answer = answer_what_if(loads, question);
    CHECK(answer.change.plan.refusals.empty());
    CHECK(answer.loads.size() == 2);
    CHECK(answer.losses.size() == 2);
    CHECK(answer.all_fit());
    question.added = {want("new", 4)};
    CHECK_FALSE(answer_what_if(loads, question).all_fit());
    question.added.clear();
    question.lost = {"a", "b"};
    const WhatIfAnswer both = answer_what_if(loads, question);
    REQUIRE(both.losses.size() == 1);
    CHECK(both.losses[0].plan.refusals.size() == 3);
    CHECK_FALSE(both.all_fit());
}

TEST_CASE("N+1 counts every rule, and best-effort domains apart from the others", "[survival]") {
    std::vector<HostLoad> loads{{"a", gibibytes(4), {want("x", 2), want("y", 2)}},
                                {"b", gibibytes(4), {want("z", 2)}}};
    REQUIRE(survive_any(loads, 1).failing == 0);
    SECTION("virtual CPUs") {
        loads[1].standing.vcpus = 3;
        loads[0].domains[0].vcpus = loads[0].domains[1].vcpus = 2;
        const Survival survival = survive_any(loads, 1);
        REQUIRE(survival.worst);
        CHECK(explain_loss(*survival.worst) ==
              "if a were lost, y would stay down: needs 2 virtual CPUs; no host with the memory "
              "may give out so many");
    }
    SECTION("together") {
        loads[0].domains[0].together = loads[1].domains[0].together = {"t"};
        loads[0].standing.together = loads[1].standing.together = {"t"};
        loads.push_back({"c", gibibytes(9), {}});
        const Loss loss = plan_loss(loads, {"a"});
        CHECK(loss.plan.refusals.empty());
        for (const Placement& placement : loss.plan.placements)
            CHECK(placement.host == (placement.domain == "x" ? "b" : "c"));
    }
    SECTION("needs") {
        loads[0].domains[0].needs = {"gpu"};
        const Survival survival = survive_any(loads, 1);
        REQUIRE(survival.worst);
        CHECK(explain_loss(*survival.worst) ==
              "if a were lost, x would stay down: no living host that may run it offers gpu; give "
              "another host what it needs");
    }
    SECTION("best-effort domains may stay down") {
        loads[1].free = gibibytes(2);
        REQUIRE(survive_any(loads, 1).failing == 1);
        loads[0].domains[1].domain_class = DomainClass::BestEffort;
        CHECK(survive_any(loads, 1).failing == 0);
        CHECK(plan_loss(loads, {"a"}).plan.refusals.size() == 1);
    }
    SECTION("and be stopped for must-run ones where the policy says so") {
        loads[1].free = gibibytes(2);
        loads[0].domains[0].domain_class = loads[0].domains[1].domain_class = DomainClass::MustRun;
        loads[1].domains[0].domain_class = DomainClass::BestEffort;
        CHECK(survive_any(loads, 1).failing == 1);
        CHECK(survive_any(loads, 1, {{}, MakeRoom::StopBestEffort}).failing == 0);
        const Loss loss = plan_loss(loads, {"a"}, {}, {{}, MakeRoom::StopBestEffort});
        REQUIRE(loss.stops.size() == 1);
        CHECK(loss.stops[0].victim.domain == "z");
        CHECK(loss.stops[0].for_domain == "y");
        CHECK(loss.first_refused() == nullptr);
    }
}

TEST_CASE("loads know what definitions need, where hosts differ", "[survival]") {
    Inventory inventory;
    ClusterRecord record;
    std::map<std::string, HostView> views;
    for (const char* name : {"a", "b"}) {
        Host host;
        host.name = name;
        inventory.hosts.push_back(host);
        HostRecord read;
        read.host = name;
        read.offers = {"bridge:", "bridge:br0"};
        record.hosts.push_back(read);
        views[name] = test::host_view();
    }
    Domain domain;
    domain.name = "web";
    inventory.domains.push_back(domain);
    DomainRecord seen;
    seen.name = "web";
    seen.host = "a";
    seen.xml =
        "<domain><devices><interface type='bridge'><source bridge='br0'/></interface></devices>"
        "</domain>";
    record.domains.push_back(seen);
    views["a"].domains = {test::domain_view("web")};
    CHECK(plan_loss(loads_of(inventory, views, record), {"a"}).plan.refusals.empty());
    record.hosts[1].offers = {"bridge:"};
    const Loss loss = plan_loss(loads_of(inventory, views, record), {"a"});
    REQUIRE(loss.plan.refusals.size() == 1);
    CHECK(loss.plan.refusals[0].kind == RefusalKind::NeedUnmet);
    record.hosts[1].offers = {};  // not read
    CHECK(plan_loss(loads_of(inventory, views, record), {"a"}).plan.refusals.empty());
}
