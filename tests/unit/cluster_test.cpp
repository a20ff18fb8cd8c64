// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/views.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;
using test::domain_view;
using test::host_view;

namespace {

const TimePoint noon{std::chrono::seconds(1'800'000'000)};

/// Two hosts; web1 and db1 should run, spare should be off; all is well.
struct Cluster {
    Inventory inventory;
    ClusterFacts facts;

    Cluster() {
        for (const char* name : {"xen1", "xen2"}) {
            Host host;
            host.name = name;
            inventory.hosts.push_back(host);
            HostFacts seen;
            seen.name = name;
            seen.view = host_view();
            facts.hosts.push_back(seen);
            HostRecord record;
            record.host = name;
            record.seen = noon - 1s;
            facts.record.hosts.push_back(record);
        }
        add("web1", Expected::Running);
        add("db1", Expected::Running);
        add("spare", Expected::Off);
        put(0, domain_view("web1"));
        put(1, domain_view("db1"));
        remember("web1", "xen1");
        remember("db1", "xen2");
        facts.now = noon;
        facts.control.arming.armed = true;
    }
    void add(const std::string& name, Expected expect) {
        Domain domain;
        domain.name = name;
        domain.expect = expect;
        inventory.domains.push_back(domain);
    }
    void put(std::size_t host, DomainView view) {
        facts.hosts[host].view->domains.push_back(std::move(view));
    }
    DomainView& at(std::size_t host, std::size_t index = 0) {
        return facts.hosts[host].view->domains[index];
    }
    void remember(const std::string& name, const std::string& host) {
        DomainRecord record;
        record.name = name;
        record.uuid = "uuid-" + name;
        record.host = host;
        record.state = DomainState::Running;
        record.xml = "<domain/>";
        facts.record.domains.push_back(record);
    }
    void silence(std::size_t host) {
        facts.hosts[host].view.reset();
        facts.hosts[host].trouble =
            "qemu+tcp://10.0.0.1/system: can't connect: no answer within 2s";
    }
    CheckResult judge() const { return judge_cluster(inventory, facts); }
};

bool says(const CheckResult& result, Status status, const std::string& text) {
    if (result.status == status && result.summary.find(text) != std::string::npos) return true;
    return std::any_of(result.parts.begin(), result.parts.end(),
                       [&](const CheckResult& one) { return says(one, status, text); });
}

}  // namespace

TEST_CASE("a sound cluster is Ok", "[cluster]") {
    const Cluster cluster;
    const CheckResult result = cluster.judge();
    CHECK(overall(result) == Status::Ok);
    CHECK(result.summary == "2 hosts answer, 2 domains run, armed");
    CHECK(render_perfdata(result.perfdata) ==
          "'hosts_answering'=2;;;0;2 'domains_running'=2;;;0;2 'record_age'=0s;;;0 'time'=0s;;;0");
    CHECK_FALSE(needs_second_look(cluster.inventory, cluster.facts.hosts, cluster.facts.record));
}

TEST_CASE("a host that does not answer is Unknown, and so is what was seen there", "[cluster]") {
    Cluster cluster;
    cluster.silence(1);
    const CheckResult result = cluster.judge();
    CHECK(overall(result) == Status::Unknown);
    CHECK(says(result, Status::Unknown, "xen2: qemu+tcp://10.0.0.1/system: can't connect"));
    CHECK(says(result, Status::Unknown, "db1: last seen on xen2, which does not answer"));
    CHECK(says(result, Status::Ok, "last read 1s ago"));
    CHECK(says(result, Status::Ok, "web1: running"));
    CHECK_FALSE(says(result, Status::Critical, ""));

    SECTION("its record grows too old") {
        cluster.facts.record.hosts[1].seen = noon - 11min;
        CHECK(says(cluster.judge(), Status::Warning,
                   "its record is 11min old, over the limit of 10min"));
    }
    SECTION("it was never read") {
        cluster.facts.record.hosts.pop_back();
        CHECK(says(cluster.judge(), Status::Warning, "never read"));
    }
    SECTION("a domain that was not seen there either") {
        cluster.facts.record.domains.pop_back();
        CHECK(says(cluster.judge(), Status::Unknown, "db1: not seen, and xen2 does not answer"));
    }
    SECTION("its domains run elsewhere meanwhile") {
        cluster.put(0, domain_view("db1"));
        const CheckResult moved = cluster.judge();
        CHECK(says(moved, Status::Ok, "db1: running on xen1"));
        CHECK(overall(moved) == Status::Unknown);
    }
}

TEST_CASE("a domain that runs nowhere", "[cluster]") {
    Cluster cluster;
    cluster.facts.hosts[1].view->domains.clear();
    CHECK(needs_second_look(cluster.inventory, cluster.facts.hosts, cluster.facts.record));
    CHECK(says(cluster.judge(), Status::Critical, "db1: runs nowhere"));
    cluster.put(1, domain_view("db1", DomainState::ShutOff, "destroyed"));
    CHECK(cluster.judge().summary == "db1: runs nowhere, shut off (destroyed) on xen2");
    cluster.facts.record.domains[1].state = DomainState::ShutOff;
    CHECK_FALSE(needs_second_look(cluster.inventory, cluster.facts.hosts, cluster.facts.record));
    cluster.inventory.domains[1].expect = Expected::Any;
    CHECK(overall(cluster.judge()) == Status::Ok);
}

TEST_CASE("a domain on two hosts at once", "[cluster]") {
    Cluster cluster;
    struct Row {
        DomainState first;
        const char* first_reason;
        DomainState second;
        const char* second_reason;
        Status status;
        const char* owner;
    };
    const Row row = GENERATE(values<Row>({
        {DomainState::Running, "", DomainState::Running, "", Status::Critical, "xen1"},
        {DomainState::Running, "", DomainState::Blocked, "", Status::Critical, "xen1"},
        {DomainState::Running, "", DomainState::Paused, "paused by a user", Status::Critical,
         "xen1"},
        {DomainState::Running, "", DomainState::Paused, "I/O error", Status::Critical, "xen1"},
        {DomainState::Running, "", DomainState::ShuttingDown, "", Status::Critical, "xen1"},
        {DomainState::Running, "", DomainState::ShutOff, "", Status::Ok, "xen1"},
        {DomainState::ShutOff, "migrated", DomainState::Running, "", Status::Ok, "xen2"},
        // Both ends of a migration.
        {DomainState::Running, "", DomainState::Paused, "migration", Status::Ok, "xen1"},
        {DomainState::Running, "", DomainState::Paused, "starting up", Status::Ok, "xen1"},
        {DomainState::Paused, "post-copy migration", DomainState::Running, "", Status::Ok, "xen2"},
        {DomainState::Paused, "migration", DomainState::Running, "", Status::Ok, "xen2"},
    }));
    cluster.at(0) = domain_view("web1", row.first, row.first_reason);
    cluster.put(1, domain_view("web1", row.second, row.second_reason));
    const CheckResult result = cluster.judge();
    INFO(result.summary);
    CHECK(overall(result) == row.status);
    if (row.status == Status::Critical)
        CHECK(result.summary == "web1: active on xen1 and xen2 at once");
    CHECK(needs_second_look(cluster.inventory, cluster.facts.hosts, cluster.facts.record) ==
          (row.status == Status::Critical));
    CHECK(owners_of(cluster.facts.hosts, cluster.facts.record).at("web1") == row.owner);
}

TEST_CASE("of two hosts the recorded one owns a domain", "[cluster]") {
    Cluster cluster;
    cluster.put(1, domain_view("web1"));
    cluster.facts.record.domains[0].host = "xen2";
    CHECK(owners_of(cluster.facts.hosts, cluster.facts.record).at("web1") == "xen2");
    cluster.facts.record.domains[0].host = "xen3";
    CHECK(owners_of(cluster.facts.hosts, cluster.facts.record).at("web1") == "xen1");
}

TEST_CASE("two domains of one name, and strangers", "[cluster]") {
    Cluster cluster;
    SECTION("different domains of a managed name") {
        cluster.put(1, domain_view("web1"));
        cluster.at(1, 1).uuid = "another";
        CHECK(says(cluster.judge(), Status::Critical, "as different domains of that name"));
    }
    SECTION("strangers are noted") {
        cluster.put(0, domain_view("tmp|1\n"));
        const CheckResult result = cluster.judge();
        CHECK(overall(result) == Status::Ok);
        CHECK(says(result, Status::Ok, "not in the cluster file: tmp?1? on xen1"));
    }
    SECTION("strangers of one name on two hosts are two domains") {
        cluster.put(0, domain_view("tmp"));
        cluster.put(1, domain_view("tmp"));
        cluster.at(1, 1).uuid = "another";
        CHECK(overall(cluster.judge()) == Status::Ok);
    }
    SECTION("a stranger that runs twice") {
        cluster.put(0, domain_view("tmp"));
        cluster.put(1, domain_view("tmp"));
        CHECK(overall(cluster.judge()) == Status::Critical);
    }
}

TEST_CASE("what else is wrong with a managed domain", "[cluster]") {
    Cluster cluster;
    SECTION("paused") {
        cluster.at(0) = domain_view("web1", DomainState::Paused, "I/O error");
        CHECK(cluster.judge().summary == "web1: paused (I/O error) on xen1");
    }
    SECTION("not read") {
        cluster.at(0).state = DomainState::Unknown;
        cluster.at(0).trouble = "no answer within 1s";
        CHECK(says(cluster.judge(), Status::Unknown, "web1: no answer within 1s on xen1"));
        CHECK(overall(cluster.judge()) == Status::Unknown);
    }
    SECTION("autostart") {
        cluster.at(0).autostart = true;
        CHECK(says(cluster.judge(), Status::Warning, "web1: autostart is on at xen1"));
        cluster.at(0).autostart.reset();
        CHECK(overall(cluster.judge()) == Status::Ok);
    }
    SECTION("autostart where it does not run now") {
        DomainView idle = domain_view("web1", DomainState::ShutOff);
        idle.autostart = true;
        cluster.put(1, idle);
        CHECK(overall(cluster.judge()) == Status::Warning);
    }
    SECTION("on a host where it may not run") {
        cluster.inventory.domains[0].hosts = {"xen2"};
        CHECK(says(cluster.judge(), Status::Warning, "web1: may not run on xen1"));
    }
    SECTION("meant to be off") {
        cluster.put(0, domain_view("spare"));
        CHECK(says(cluster.judge(), Status::Warning, "should be off on xen1"));
    }
    SECTION("no definition") {
        cluster.facts.definition_troubles["web1"] = "denied|\n";
        CHECK(says(cluster.judge(), Status::Warning, "(an older one is recorded): denied??"));
        cluster.facts.record.domains.clear();
        CHECK(says(cluster.judge(), Status::Warning, "can't be read: denied??"));
    }
}

TEST_CASE("arming, incidents, journal and record", "[cluster]") {
    Cluster cluster;
    ControlFacts& control = cluster.facts.control;
    SECTION("never armed") {
        control.arming = {};
        CHECK(says(cluster.judge(), Status::Warning, "never armed"));
    }
    SECTION("disarmed for a while") {
        control.arming.armed = false;
        control.arming.since = noon - 1h;
        control.arming.until = noon + 1h;
        control.arming.who = "al|ice";
        control.arming.reason = "new\nswitch";
        CHECK(says(cluster.judge(), Status::Warning,
                   "disarmed since 2027-01-15T07:00:00.000Z until 2027-01-15T09:00:00.000Z by "
                   "al?ice: new?switch"));
        control.arming.until = noon - 1min;
        CHECK(overall(cluster.judge()) == Status::Ok);
    }
    SECTION("disarmed for too long") {
        control.arming.armed = false;
        control.arming.since = noon - 24h;
        CHECK(overall(cluster.judge()) == Status::Warning);
        control.arming.since = noon - 24h - 1s;
        CHECK(says(cluster.judge(), Status::Critical,
                   ", longer than 1d (disarmed_max): `domkeeper arm` ends it"));
        cluster.inventory.policy.disarmed_max = 48h;
        CHECK(overall(cluster.judge()) == Status::Warning);
    }
    SECTION("an unfinished incident") {
        Incident incident;
        incident.id = 3;
        incident.host = "xen2";
        control.unfinished.push_back(incident);
        CHECK(says(cluster.judge(), Status::Critical,
                   "incident 3 of xen2 is unfinished and no worker lives: `domkeeper recover xen2` "
                   "finishes it"));
        control.worker_lives = true;
        CHECK(overall(cluster.judge()) == Status::Warning);
    }
    SECTION("a journal that can't be read") {
        control.trouble = "/var/lib/domkeeper/journal.db: permission denied";
        CHECK(says(cluster.judge(), Status::Unknown, "permission denied"));
    }
    SECTION("a record that can't be written") {
        cluster.facts.record_trouble = "disk full";
        CHECK(says(cluster.judge(), Status::Critical, "disk full"));
    }
}

TEST_CASE("a definition that is not the recorded one is a warning", "[cluster]") {
    Cluster cluster;
    cluster.facts.changed_definitions = {"web1"};
    CHECK(says(cluster.judge(), Status::Warning,
               "web1: its definition on xen1 differs from the recorded one, which was replaced"));
    cluster.facts.record_trouble = "disk full";
    CHECK(says(cluster.judge(), Status::Warning, "differs from the recorded one"));
    CHECK_FALSE(says(cluster.judge(), Status::Warning, "which was replaced"));
}

TEST_CASE("domains that should be together and are not, and needs that are not met, are warnings",
          "[cluster]") {
    Cluster cluster;
    cluster.inventory.policy.survive = 0;
    SECTION("together") {
        cluster.inventory.domains[0].together = cluster.inventory.domains[1].together = {"pair"};
        CHECK(says(cluster.judge(), Status::Warning,
                   "group pair should be together and is not: web1 on xen1; db1 on xen2"));
        std::swap(cluster.facts.hosts[1].view->domains[0],
                  cluster.facts.hosts[0].view->domains.emplace_back(domain_view("x")));
        cluster.facts.hosts[1].view->domains.clear();
        CHECK_FALSE(says(cluster.judge(), Status::Warning, "should be together"));
    }
    SECTION("what the cluster file alone can say") {
        cluster.inventory.domains[0].needs = {"gpu"};
        CHECK(says(cluster.judge(), Status::Warning, "web1 needs gpu, which xen1 does not offer"));
        cluster.inventory.hosts[0].offers = {"gpu"};
        CHECK(overall(cluster.judge()) == Status::Ok);
    }
    SECTION("what was read") {
        cluster.inventory.domains[0].needs = {"bridge:br0"};
        CHECK(overall(cluster.judge()) == Status::Ok);
        cluster.facts.record.hosts[0].offers = {"bridge:", "bridge:br1"};
        CHECK(says(cluster.judge(), Status::Warning, "web1 needs bridge:br0"));
    }
}

TEST_CASE("domains that should stay apart and share a host are a warning", "[cluster]") {
    Cluster cluster;
    cluster.inventory.domains[0].apart = cluster.inventory.domains[1].apart = {"pair"};
    // Of two hosts none can be lost then.
    CHECK(says(cluster.judge(), Status::Warning,
               "web1 would stay down: each living host that may run it has a domain of its apart "
               "group pair"));
    cluster.inventory.policy.survive = 0;
    CHECK(overall(cluster.judge()) == Status::Ok);
    cluster.put(0, domain_view("db1"));
    cluster.facts.hosts[1].view->domains.clear();
    CHECK(says(cluster.judge(), Status::Warning,
               "web1 and db1 should stay apart (pair) and share xen1"));
}

TEST_CASE("a loss that the others could not carry is a warning", "[cluster]") {
    Cluster cluster;
    cluster.at(1).memory_max = gibibytes(5);
    CHECK(says(cluster.judge(), Status::Warning,
               "if xen2 were lost, db1 would stay down: needs 5 GiB, the most that is left is "
               "4 GiB on xen1; 1 GiB more there would do"));
    cluster.inventory.policy.survive = 0;
    CHECK(overall(cluster.judge()) == Status::Ok);
}

TEST_CASE("hosts of different versions", "[cluster]") {
    Cluster cluster;
    cluster.facts.hosts[1].view->hypervisor = "Xen 4.17.5";
    const CheckResult result = cluster.judge();
    CHECK(overall(result) == Status::Warning);
    CHECK(result.summary ==
          "hosts of different versions: QEMU 7.2.22, libvirt 9.0.0 on xen1; Xen 4.17.5, libvirt "
          "9.0.0 on xen2");
}
