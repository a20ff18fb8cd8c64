// SPDX-License-Identifier: GPL-3.0-or-later
// What the scenarios don't show: pure parts of the recovery and the dry run.
#include <catch2/catch.hpp>

#include "lib/core/dry_run.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/sim/scenario.hpp"

using namespace domkeeper;

namespace {

const char* cluster_text = R"(policy witnesses=w1
host a memory=8GiB reserve=1GiB fence=bmc-a
host b memory=4GiB reserve=1GiB fence=bmc-b
device bmc-a agent=fence_ipmi
device bmc-b agent=fence_ipmi
domain web1
domain web2
)";

struct Setting {
    Inventory inventory = parse_inventory(cluster_text);
    ClusterRecord record;
    Arming arming;
    Now now{Instant{std::chrono::hours(10)}, TimePoint{std::chrono::hours(1000)}};

    Setting() {
        arming.armed = true;
        record.hosts.push_back({"a", now.wall, gibibytes(8), std::nullopt, "QEMU"});
        for (const char* name : {"web1", "web2"})
            record.domains.push_back({name, std::string("uuid-") + name, "a", DomainState::Running,
                                      gibibytes(2), 1, true, now.wall, "<domain/>"});
    }
    RecoveryContext context() const { return {inventory, record, arming, now}; }
    DryRunPlan plan() const {
        DryRunFacts facts;
        facts.lost = {"a"};
        HostView view;
        view.memory_total = gibibytes(16);
        facts.views["b"] = {now.mono, view, {}};
        return dry_run(context(), facts);
    }
};

std::vector<std::string> lines(const DryRunPlan& plan) {
    std::vector<std::string> all;
    for (const JournalEntry& step : plan.steps)
        all.push_back(std::string(entry_kind_name(step.kind)) + " " +
                      std::string(step_kind_name(step.step)) + " " + step.domain + " " +
                      step.target);
    return all;
}

}  // namespace

TEST_CASE("a dry run shows fence, placements and refusals") {
    const Setting setting;
    const DryRunPlan plan = setting.plan();
    CHECK(plan.objections.empty());
    CHECK(lines(plan) == std::vector<std::string>{"intent fence  bmc-a", "decision plan web1 b",
                                                  "refusal start web2 "});
}

TEST_CASE("a dry run names what stands in the way and plans all the same") {
    Setting setting;
    SECTION("disarmed") {
        setting.arming = {false, std::nullopt, "alice", "works", setting.now.wall};
        CHECK(setting.plan().objections.at("a") ==
              "disarmed by alice: works; `domkeeper arm` ends it");
    }
    SECTION("the record is too old") {
        setting.record.hosts[0].seen -= std::chrono::hours(2);
        CHECK(setting.plan().objections.at("a").find("too old") != std::string::npos);
    }
    CHECK(setting.plan().steps.size() == 3);
}

TEST_CASE("an answer that was asked for before the report is no sign of life") {
    const Setting setting;
    Situation situation;
    advance(situation, HostReported{{"a", HostState::Down, StateType::Hard, "monitor", {}, {}}},
            setting.context());
    REQUIRE(situation.cases.at("a").phase == CasePhase::Looking);
    const auto answer = [&](Duration age) {
        return advance(situation, Observed{"a", setting.now.mono - age, HostView{}, {}},
                       setting.context());
    };
    const RecoveryStep first = answer(Duration{5});
    CHECK(first.closed.empty());
    REQUIRE(first.actions.size() == 1);
    const auto* again = std::get_if<Observe>(&first.actions.front());
    REQUIRE(again != nullptr);
    CHECK(again->host == "a");
    const RecoveryStep second = answer(Duration{0});
    REQUIRE(second.closed.size() == 1);
    CHECK(second.closed.front().state == IncidentState::FalseAlarm);
}

TEST_CASE("ports that a living host is likely to answer on") {
    const auto ports = [](const std::string& uri) {
        Host host;
        host.uri = uri;
        return probe_ports(host);
    };
    CHECK(ports("qemu+tcp://10.0.0.1/system") == std::vector<int>{16509, 22});
    CHECK(ports("xen+tls://xen1.example/") == std::vector<int>{16514, 22});
    CHECK(ports("xen://xen1/") == std::vector<int>{16514, 22});
    CHECK(ports("xen+ssh://root@xen1/") == std::vector<int>{22});
    CHECK(ports("qemu+tcp://10.0.0.1:1234/system") == std::vector<int>{1234, 22});
    CHECK(ports("qemu+tcp://[fe80::1]/system") == std::vector<int>{16509, 22});
    CHECK(ports("qemu+tcp://h:99999/") == std::vector<int>{16509, 22});
    CHECK(ports("nonsense") == std::vector<int>{22});
}

TEST_CASE("a scenario's mistakes are named by line") {
    const auto error = [](const std::string& text) -> std::string {
        try {
            parse_scenario(text);
        } catch (const std::exception& e) {
            return e.what();
        }
        return {};
    };
    const std::string cluster = "host a fence=bmc\ndevice bmc agent=fence_ipmi\ndomain w\n";
    CHECK(error(cluster + "at 1s power-cut a\n").empty());
    CHECK(error(cluster + "at 1s power-cut z\n") == "line 4: no host 'z'");
    CHECK(error(cluster + "at 1s powercut a\n") ==
          "line 4: no command 'powercut', is 'power-cut' meant?");
    CHECK(error(cluster + "at soon power-cut a\n") ==
          "line 4: 'soon' is no time span such as 400ms, 5s or 2h");
    CHECK(error(cluster + "runs a w=big\n") ==
          "line 4: 'w=big' is no DOMAIN=SIZE[/VCPUS] such as web1=1GiB or db1=8GiB/4");
    CHECK(error(cluster + "go\n") == "line 4: 'go' begins no line of a scenario");
}

TEST_CASE("the same scenario gives the same log, always") {
    const std::string text = std::string(cluster_text) +
                             "runs a web1=1GiB web2=1GiB\nat 1s power-cut a\n"
                             "at 3s report a DOWN HARD\nuntil 20s\n";
    const ScenarioOutcome one = run_scenario(parse_scenario(text));
    const ScenarioOutcome two = run_scenario(parse_scenario(text));
    CHECK(one.log == two.log);
    CHECK(one.crash_points == two.crash_points);
    CHECK(one.broken.empty());
    CHECK(one.ran.at("web1") == "b");
}
