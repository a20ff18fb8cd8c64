// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster_reader.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <mutex>
#include <set>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/sqlite_record.hpp"
#include "tests/unit/scratch.hpp"
#include "tests/unit/views.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;
using test::domain_view;
using test::host_view;

namespace {

const TimePoint noon{std::chrono::seconds(1'800'000'000)};

class FakeHypervisor : public Hypervisor {
  public:
    HostView read_host(Deadline) override {
        if (hang) std::promise<void>().get_future().wait();  // whatever the deadline says
        if (!trouble.empty()) throw Unreachable(trouble);
        const std::lock_guard lock(mutex);
        const std::size_t turn = std::min(reads++, views.size() - 1);
        return views[turn];
    }
    DomainDefinition read_definition(const std::string& uuid, Deadline) override {
        const std::lock_guard lock(mutex);
        asked.push_back(uuid);
        if (definition_trouble) throw Denied("no secrets for you");
        return {"<domain>" + uuid + version + "</domain>", true};
    }
    Labels read_offers(Deadline) override {
        const std::lock_guard lock(mutex);
        ++offers_asked;
        return offers;
    }
    void stop(const DomainRecord&, Deadline) override {}
    void forget(const DomainRecord&, const std::function<void(const std::string&)>&,
                Deadline) override {}
    void start_elsewhere(const DomainRecord&, const ProofOfOff&, Deadline) override {
        throw ProtocolError("a check starts nothing");
    }
    void start_again(const DomainRecord&, Deadline) override {}
    void resume(const DomainRecord&, Deadline) override {}
    bool ask_agent(const DomainRecord&, Deadline) override { return false; }
    void keep_off(const DomainRecord&, Deadline) override {}
    OffReading read_off(const DomainRecord&, Deadline) override { return {}; }
    void start_over(const DomainRecord&, const ProofOfShutOff&, Deadline) override {}

    std::mutex mutex;
    std::vector<HostView> views{host_view()};  // of each read in turn, the last one again
    std::size_t reads = 0;
    std::vector<std::string> asked;
    std::string version;
    Labels offers{"bridge:", "bridge:br0"};
    int offers_asked = 0;
    bool definition_trouble = false;
    std::string trouble;
    bool hang = false;
};

struct FakeCluster : Hypervisors {
    Inventory inventory;
    std::map<std::string, std::shared_ptr<FakeHypervisor>> hosts;
    test::Scratch scratch;
    SqliteRecord records{scratch.path("")};

    FakeCluster() {
        for (const char* name : {"xen1", "xen2", "xen3"}) {
            Host host;
            host.name = name;
            inventory.hosts.push_back(host);
            hosts[name] = std::make_shared<FakeHypervisor>();
        }
        for (const char* name : {"web1", "db1"}) {
            Domain domain;
            domain.name = name;
            inventory.domains.push_back(domain);
        }
    }
    std::shared_ptr<Hypervisor> at(const Host& host) override { return hosts.at(host.name); }
    ClusterFacts read(TimePoint now, Duration host_time = 5s) {
        return read_cluster(inventory, *this, &records, now,
                            {Deadline{mono_now() + 20s}, host_time});
    }
    FakeHypervisor& host(const std::string& name) { return *hosts.at(name); }
};

}  // namespace

TEST_CASE("a round writes the record of all hosts", "[cluster]") {
    FakeCluster cluster;
    cluster.host("xen1").views = {host_view({domain_view("web1"), domain_view("stranger")})};
    cluster.host("xen2").views = {
        host_view({domain_view("db1"), domain_view("off", DomainState::ShutOff)})};
    const ClusterFacts facts = cluster.read(noon);
    CHECK(facts.record_trouble.empty());
    const ClusterRecord record = cluster.records.read();
    CHECK(record.hosts.size() == 3);
    REQUIRE(record.find_domain("web1") != nullptr);
    const DomainRecord& web = *record.find_domain("web1");
    CHECK(web.host == "xen1");
    CHECK(web.seen == noon);
    CHECK(web.memory == mebibytes(64));
    CHECK(web.xml == "<domain>uuid-web1</domain>");
    REQUIRE(record.find_domain("stranger") != nullptr);
    CHECK(record.find_domain("stranger")->xml.empty());
    CHECK(record.find_domain("off") == nullptr);

    SECTION("a changed definition is seen in the next round, and told once") {
        CHECK(cluster.read(noon + 1s).changed_definitions.empty());
        cluster.host("xen1").version = " v2";
        CHECK(cluster.read(noon + 2s).changed_definitions == std::set<std::string>{"web1"});
        CHECK(cluster.read(noon + 3s).changed_definitions.empty());
        CHECK(cluster.records.read().find_domain("web1")->xml == "<domain>uuid-web1 v2</domain>");
    }
    SECTION("a definition that can't be read leaves the known one") {
        cluster.host("xen1").definition_trouble = true;
        const ClusterFacts later = cluster.read(noon + 1s);
        CHECK(later.definition_troubles.count("web1") == 1);
        CHECK(cluster.records.read().find_domain("web1")->xml == "<domain>uuid-web1</domain>");
    }
    SECTION("what a host offers is kept, and asked for again now and then") {
        CHECK(record.offers_of("xen1") == Labels{"bridge:", "bridge:br0"});
        CHECK(record.offers_of("nobody").empty());
        cluster.host("xen1").offers = {};
        for (int i = 1; i <= 200; ++i) cluster.read(noon + i * 1s);
        CHECK(cluster.records.read().offers_of("xen1") == Labels{"bridge:", "bridge:br0"});
        cluster.host("xen1").offers = {"bridge:"};
        for (int i = 201; i <= 400; ++i) cluster.read(noon + i * 1s);
        CHECK(cluster.records.read().offers_of("xen1") == Labels{"bridge:"});
        CHECK(cluster.host("xen1").offers_asked < 40);
    }
    SECTION("a domain that could not be read keeps its memory") {
        DomainView lost = domain_view("web1");
        lost.trouble = "no answer within 1s";
        lost.memory_max = {};
        lost.vcpus = 0;
        cluster.host("xen1").views = {host_view({lost})};
        cluster.read(noon + 1s);
        CHECK(cluster.records.read().find_domain("web1")->memory == mebibytes(64));
        CHECK(cluster.records.read().find_domain("web1")->vcpus == 1);
    }
    SECTION("a domain moves") {
        cluster.host("xen1").views = {host_view()};
        cluster.host("xen3").views = {host_view({domain_view("web1")})};
        cluster.read(noon + 1s);
        CHECK(cluster.records.read().find_domain("web1")->host == "xen3");
    }
    SECTION("a domain that is gone is off after a second look") {
        cluster.host("xen1").views = {host_view()};
        cluster.host("xen1").reads = 0;
        cluster.read(noon + 1s);
        CHECK(cluster.host("xen1").reads == 2);
        CHECK(cluster.records.read().find_domain("web1")->state == DomainState::ShutOff);
    }
    SECTION("a domain that moved between two readings is found by the second look") {
        cluster.host("xen1").views = {host_view()};
        cluster.host("xen3").reads = 0;
        cluster.host("xen3").views = {host_view(), host_view({domain_view("web1")})};
        const ClusterFacts later = cluster.read(noon + 1s);
        CHECK(later.hosts[2].view->domains.size() == 1);
        const ClusterRecord after = cluster.records.read();
        CHECK(after.find_domain("web1")->host == "xen3");
        CHECK(after.find_domain("web1")->state == DomainState::Running);
    }
    SECTION("a domain that seemed to run twice while it moved") {
        cluster.host("xen1").reads = 0;
        cluster.host("xen1").views = {host_view({domain_view("web1")}), host_view()};
        cluster.host("xen3").views = {host_view({domain_view("web1")})};
        const ClusterFacts later = cluster.read(noon + 1s);
        CHECK(overall(judge_cluster(cluster.inventory, later)) != Status::Critical);
        CHECK(cluster.records.read().find_domain("web1")->host == "xen3");
    }
    SECTION("a host that does not answer keeps its record") {
        cluster.host("xen1").trouble = "nobody there";
        const ClusterFacts later = cluster.read(noon + 1s);
        CHECK_FALSE(later.hosts[0].view);
        CHECK(later.hosts[0].trouble == "nobody there");
        const ClusterRecord after = cluster.records.read();
        CHECK(after.find_host("xen1")->seen == noon);
        CHECK(after.find_host("xen2")->seen == noon + 1s);
        CHECK(after.find_domain("web1")->host == "xen1");
        CHECK(after.find_domain("web1")->state == DomainState::Running);
        CHECK(after.find_domain("web1")->seen == noon);
    }
}

TEST_CASE("a host that hangs for ever holds nobody up", "[cluster]") {
    FakeCluster cluster;
    cluster.host("xen1").hang = true;
    cluster.host("xen2").views = {host_view({domain_view("db1")})};
    const Instant start = mono_now();
    const ClusterFacts facts = cluster.read(noon, 200ms);
    CHECK(mono_now() - start < 3s);
    CHECK_FALSE(facts.hosts[0].view);
    CHECK(facts.hosts[0].trouble == "no answer in time");
    const ClusterRecord record = cluster.records.read();
    CHECK(record.find_host("xen1") == nullptr);
    CHECK(record.find_host("xen2")->seen == noon);
    CHECK(record.find_domain("db1")->xml == "<domain>uuid-db1</domain>");
}

TEST_CASE("without a record the hosts are read all the same", "[cluster]") {
    FakeCluster cluster;
    cluster.host("xen1").views = {host_view({domain_view("web1")})};
    const ClusterFacts facts =
        read_cluster(cluster.inventory, cluster, nullptr, noon, {Deadline{mono_now() + 20s}, 5s});
    CHECK(facts.hosts[0].view);
}

TEST_CASE("definitions are read when due", "[cluster]") {
    std::vector<DomainView> views;
    ClusterRecord record;
    for (int i = 0; i < 300; ++i) {
        views.push_back(domain_view("d" + std::to_string(i)));
        DomainRecord known;
        known.name = views.back().name;
        known.uuid = views.back().uuid;
        known.memory = views.back().memory_max;
        known.vcpus = views.back().vcpus;
        known.persistent = true;
        known.xml = "<domain/>";
        record.domains.push_back(known);
    }
    std::vector<const DomainView*> domains;
    for (const DomainView& view : views) domains.push_back(&view);

    SECTION("all of a few") {
        domains.resize(20);
        CHECK(definitions_due(domains, record, noon).size() == 20);
    }
    SECTION("of many a window that moves, whatever the interval") {
        const int interval = GENERATE(1, 5, 10, 60);
        std::set<std::string> seen;
        for (int turn = 0; turn < 150; ++turn) {
            const auto due =
                definitions_due(domains, record, noon + std::chrono::seconds(turn * interval));
            CHECK(due.size() == 32);
            seen.insert(due.begin(), due.end());
        }
        CHECK(seen.size() == 300);
    }
    SECTION("at once where it is not known or surely old") {
        record.domains[0].xml.clear();
        record.domains[1].uuid = "another";
        record.domains[2].memory = mebibytes(1);
        record.domains[3].vcpus = 7;
        record.domains[4].persistent = false;
        record.domains[5].name = "unknown";
        const auto due = definitions_due(domains, record, noon);
        CHECK(due.size() == 32 + 6);
        for (std::size_t i = 0; i < 6; ++i) CHECK(due[i] == views[i].uuid);
    }
}
