// SPDX-License-Identifier: GPL-3.0-or-later
// Which moves even the load out, and which are not made.
#include "lib/core/balance.hpp"

#include <catch2/catch.hpp>

#include "lib/core/inventory_text.hpp"
#include "lib/core/text.hpp"

using namespace domkeeper;

namespace {

/// Hosts of 10 GiB with 10 CPUs.
struct Cluster {
    Inventory inventory;
    Survey survey;
    std::set<std::string> closed;

    explicit Cluster(const std::string& domains, const std::string& policy = "",
                     const std::string& hosts = "abc") {
        std::string text = policy.empty() ? "" : "policy " + policy + "\n";
        for (const char host : hosts) text += std::string("host ") + host + " memory=10GiB\n";
        inventory = parse_inventory(text + domains);
        for (const char host : hosts) {
            HostView view;
            view.hypervisor = "QEMU 7.2";
            view.memory_total = gibibytes(10);
            view.cpus = 10;
            survey.hosts[std::string(1, host)] = {view, {}};
        }
    }
    Cluster& run(const std::string& name, const std::string& host, int gib, int vcpus = 1) {
        DomainView view;
        view.name = name;
        view.uuid = "uuid-" + name;
        view.state = DomainState::Running;
        view.memory = view.memory_max = gibibytes(gib);
        view.vcpus = vcpus;
        survey.hosts[host].view->domains.push_back(view);
        MoveFacts& facts = survey.domains[name];
        facts.host = host;
        facts.view = view;
        return *this;
    }
    MaintenanceQuestion question() const {
        return {inventory, "*", MaintenancePhase::Balancing, closed, {}, {}};
    }
    std::string plan() const {
        std::vector<std::string> moves;
        for (const PlannedMove& move : plan_balance(question(), survey).moves)
            moves.push_back(move.domain + " " + move.from + ">" + move.to);
        return join(moves, ", ");
    }
};

std::string domains(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += "domain " + name + "\n";
    return text;
}

}  // namespace

TEST_CASE("an even cluster is left alone", "[balance]") {
    CHECK(Cluster(domains({"d"})).plan().empty());
    CHECK(Cluster(domains({"d", "e", "f"}))
              .run("d", "a", 2)
              .run("e", "b", 2)
              .run("f", "c", 3)
              .plan()
              .empty());
    // One big domain alone makes a host full: to move it changes nothing.
    CHECK(Cluster(domains({"d"})).run("d", "a", 8).plan().empty());
}

TEST_CASE("few moves even the memory out", "[balance]") {
    Cluster cluster(domains({"d", "e", "f", "g"}));
    cluster.run("d", "a", 2).run("e", "a", 2).run("f", "a", 2).run("g", "a", 2);
    CHECK(cluster.plan() == "d a>b, e a>c");
    SECTION("what is done is not done again") {
        Cluster after(domains({"d", "e", "f", "g"}));
        after.run("d", "b", 2).run("e", "c", 2).run("f", "a", 2).run("g", "a", 2);
        const auto moves = plan_balance(after.question(), after.survey).moves;
        CHECK(moves.empty());
    }
    SECTION("the same whatever the order in which hosts list their domains") {
        auto& listed = cluster.survey.hosts["a"].view->domains;
        std::reverse(listed.begin(), listed.end());
        CHECK(cluster.plan() == "d a>b, e a>c");
    }
    SECTION("a wider tolerance asks for less") {
        cluster.inventory.policy.balance_tolerance = 60;
        CHECK(cluster.plan() == "d a>b");
        cluster.inventory.policy.balance_tolerance = 85;
        CHECK(cluster.plan().empty());
    }
}

TEST_CASE("virtual CPUs are evened out where they are scarce", "[balance]") {
    Cluster busy(domains({"d", "e"}), "", "ab");
    busy.run("d", "a", 1, 15).run("e", "a", 1, 15);
    CHECK(busy.plan() == "d a>b");
    Cluster idle(domains({"d", "e"}), "balance_tolerance=30", "ab");
    CHECK(idle.run("d", "a", 1, 5).run("e", "a", 1, 5).plan().empty());
    CHECK(idle.run("f", "a", 0, 5).plan() == "d a>b");
    CHECK(vcpu_spread(shares_of(idle.question(), idle.survey)) == Approx(1.0 / 3));
}

TEST_CASE("what may not move stays", "[balance]") {
    struct Case {
        std::string what;
        std::string domain;
        std::string moves;
    };
    const Case cases[] = {
        {"nothing forbids it", "domain d", "d a>b"},
        {"move = never", "domain d move=never", ""},
        {"it may run nowhere else", "domain d hosts=a", ""},
        {"it prefers its host", "domain d prefer=a", ""},
        {"both are preferred", "domain d prefer=a,b", "d a>b"},
    };
    for (const Case& given : cases) {
        CAPTURE(given.what);
        Cluster cluster(given.domain + "\ndomain big move=never\n", "", "ab");
        cluster.run("d", "a", 3).run("big", "a", 3);
        CHECK(cluster.plan() == given.moves);
    }
    SECTION("apart") {
        Cluster cluster("domain d apart=x\ndomain e apart=x\ndomain big move=never\n", "", "ab");
        cluster.run("d", "a", 3).run("big", "a", 3).run("e", "b", 1);
        CHECK(cluster.plan().empty());
    }
    Cluster cluster(domains({"d", "e"}), "", "ab");
    cluster.run("d", "a", 3).run("e", "a", 3);
    REQUIRE(cluster.plan() == "d a>b");
    SECTION("not live") {
        cluster.survey.domains["d"].can_live = cluster.survey.domains["e"].can_live = false;
        CHECK(cluster.plan().empty());
    }
    SECTION("its disk is not seen") {
        cluster.survey.domains["d"].devices = {"/dev/x"};
        CHECK(cluster.plan() == "e a>b");
        cluster.survey.sights["b"]["/dev/x"] = {Sight::Seen, {}};
        CHECK(cluster.plan() == "d a>b");
    }
    SECTION("runs twice") {
        cluster.survey.twice["d"] = "a and b";
        CHECK(cluster.plan() == "e a>b");
    }
    SECTION("hosts in maintenance neither give nor take") {
        cluster.closed = {"b"};
        CHECK(cluster.plan().empty());
        cluster.closed = {"a"};
        CHECK(cluster.plan().empty());
    }
    SECTION("a host that does not answer") {
        cluster.survey.hosts["b"] = {std::nullopt, "no answer"};
        CHECK(cluster.plan().empty());
    }
    SECTION("a stranger") {
        cluster.inventory.domains.erase(cluster.inventory.domains.begin());
        CHECK(cluster.plan() == "e a>b");
    }
}

TEST_CASE("an even load costs no host that could be lost before", "[balance]") {
    // If b is lost, big must find its 6 GiB: with d on c neither a nor c has them.
    Cluster cluster("domain d hosts=a,c\ndomain e move=never\ndomain big move=never\n");
    cluster.run("d", "a", 5).run("e", "a", 5).run("big", "b", 6);
    CHECK(cluster.plan().empty());
    cluster.inventory = parse_inventory(
        "host a memory=10GiB\nhost b memory=10GiB\nhost c memory=20GiB\n"
        "domain d hosts=a,c\ndomain e move=never\ndomain big move=never\n");
    CHECK(cluster.plan() == "d a>c");
}
