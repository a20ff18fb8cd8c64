// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/domu.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/views.hpp"

using namespace domkeeper;
using test::domain_view;
using test::host_view;

TEST_CASE("each state against each expectation", "[domu]") {
    struct Row {
        DomainState state;
        const char* reason;
        Status running;
        Status off;
        Status any;
    };
    constexpr Status ok = Status::Ok;
    constexpr Status warning = Status::Warning;
    constexpr Status critical = Status::Critical;
    constexpr Status unknown = Status::Unknown;
    const Row row = GENERATE(values<Row>({
        {DomainState::Running, "booted", ok, warning, ok},
        {DomainState::Blocked, "", ok, warning, ok},
        {DomainState::Paused, "", critical, warning, critical},
        {DomainState::Paused, "paused by a user", critical, warning, critical},
        {DomainState::Paused, "I/O error", critical, warning, critical},
        {DomainState::Paused, "watchdog", critical, warning, critical},
        {DomainState::Paused, "guest crashed", critical, warning, critical},
        {DomainState::Paused, "post-copy migration failed", critical, warning, critical},
        {DomainState::Paused, "migration", warning, warning, warning},
        {DomainState::Paused, "post-copy migration", warning, warning, warning},
        {DomainState::Paused, "starting up", warning, warning, warning},
        {DomainState::Paused, "being saved", warning, warning, warning},
        {DomainState::Paused, "snapshot", warning, warning, warning},
        {DomainState::ShuttingDown, "", warning, warning, ok},
        {DomainState::ShutOff, "destroyed", critical, ok, ok},
        {DomainState::Crashed, "panicked", critical, ok, critical},
        {DomainState::Suspended, "", critical, warning, warning},
        {DomainState::Unknown, "", unknown, unknown, unknown},
    }));
    const DomainView domain = domain_view("web1", row.state, row.reason);
    INFO(domain_state_name(row.state) << " " << row.reason);
    CHECK(judge_domain(domain, Expected::Running).status == row.running);
    CHECK(judge_domain(domain, Expected::Off).status == row.off);
    CHECK(judge_domain(domain, Expected::Any).status == row.any);
    // Paused is never Ok, whatever is wanted.
    if (row.state == DomainState::Paused) {
        CHECK(row.running != ok);
        CHECK(row.off != ok);
        CHECK(row.any != ok);
    }
}

TEST_CASE("what else is wrong with a domain", "[domu]") {
    DomainView domain = domain_view("web1", DomainState::Running, "booted");
    CHECK(judge_domain(domain, Expected::Running).summary == "web1: running (booted)");

    SECTION("a stuck monitor") {
        domain.control_trouble = "occupied for 13 s";
        const CheckResult result = judge_domain(domain, Expected::Running);
        CHECK(result.status == Status::Warning);
        CHECK(result.summary == "web1: running (booted, its monitor is occupied for 13 s)");
    }
    SECTION("disk errors, although it runs") {
        domain.disk_errors = {"vda: no space"};
        const CheckResult result = judge_domain(domain, Expected::Any);
        CHECK(result.status == Status::Critical);
        CHECK(result.summary == "web1: running (booted, vda: no space)");
    }
    SECTION("its state could not be read") {
        domain.state = DomainState::Unknown;
        domain.trouble = "no answer within 1s";
        const CheckResult result = judge_domain(domain, Expected::Running);
        CHECK(result.status == Status::Unknown);
        CHECK(result.summary == "web1: no answer within 1s");
    }
    SECTION("its state is known and the rest could not be read") {
        domain.trouble = "no answer within 1s";
        CHECK(judge_domain(domain, Expected::Running).status == Status::Unknown);
        domain.state = DomainState::Paused;
        domain.reason = "I/O error";
        CHECK(judge_domain(domain, Expected::Running).status == Status::Critical);
    }
    SECTION("meant to be off") {
        CHECK(judge_domain(domain, Expected::Off).summary ==
              "web1: running (booted), should be off");
    }
}

TEST_CASE("names from outside can't break the output", "[domu]") {
    const std::string evil = "a|b=1;2\nOK - fine\x1b[2J" + std::string(500, 'x');
    DomainView domain = domain_view(evil, DomainState::Paused, "I/O error");
    domain.disk_errors = {"vd|a\n: no space"};
    domain.trouble = "no\nanswer|";
    domain.control_trouble = "x|\r";
    Expectations wanted;
    wanted.domains.emplace();
    wanted.domains->push_back({.name = evil});
    wanted.domains->push_back({.name = "miss\ning|one"});
    for (const bool asked : {true, false}) {
        const CheckResult result =
            judge_domu(host_view({domain}), "ho|st\n", asked ? wanted : Expectations{});
        const std::string text = render_result("DOMU", result, 1);
        CHECK(text.find('\x1b') == std::string::npos);
        // One '|' on the first line starts the perfdata, and no line is the remote's own.
        const std::string first = text.substr(0, text.find('\n'));
        CHECK(std::count(first.begin(), first.end(), '|') == 1);
        CHECK(text.find("\nOK - fine") == std::string::npos);
        for (const CheckResult& one : result.parts) {
            CHECK(one.summary.find_first_of("|\n\r\x1b") == std::string::npos);
            CHECK(one.summary.size() < 800);
        }
        CHECK(overall(result) == Status::Critical);
    }
}

TEST_CASE("named domains", "[domu]") {
    const HostView view = host_view({domain_view("db1", DomainState::Paused, "I/O error"),
                                     domain_view("off1", DomainState::ShutOff, "destroyed"),
                                     domain_view("web1", DomainState::Running, "booted")});
    struct Row {
        std::vector<std::string> names;
        Status status;
        const char* summary;
    };
    const Row row = GENERATE(values<Row>({
        {{"web1"}, Status::Ok, "1 domain runs on xen1, 1 off"},
        {{"uuid-web1"}, Status::Ok, "1 domain runs on xen1, 1 off"},
        {{"web1", "off1"}, Status::Critical, "off1: shut off (destroyed)"},
        {{"gone", "web1"}, Status::Critical, "gone: not on xen1"},
        {{"db1"}, Status::Critical, "db1: paused (I/O error)"},
        {{"gone", "db1", "off1", "no4"},
         Status::Critical,
         "gone: not on xen1; db1: paused (I/O error); off1: shut off (destroyed); and 1 more"},
    }));
    Expectations wanted;
    wanted.domains.emplace();
    for (const std::string& name : row.names) wanted.domains->push_back({.name = name});
    const CheckResult result = judge_domu(view, "xen1", wanted);
    CHECK(overall(result) == row.status);
    CHECK(result.summary == row.summary);
    CHECK(result.parts.size() == row.names.size());
    CHECK(render_perfdata(result.perfdata) ==
          "'running'=1;;;0 'paused'=1;;;0 'off'=1;;;0 'other'=0;;;0 'time'=0.004s;;;0");
}

TEST_CASE("one unreadable domain is one Unknown part, the others are judged", "[domu]") {
    DomainView lost = domain_view("lost", DomainState::Unknown);
    lost.trouble = "no answer within 1s";
    const CheckResult result = judge_domu(host_view({lost, domain_view("web1")}), "xen1", {});
    CHECK(overall(result) == Status::Unknown);
    REQUIRE(result.parts.size() == 2);
    CHECK(result.parts[0].status == Status::Unknown);
    CHECK(result.parts[1].status == Status::Ok);
    const CheckResult worse =
        judge_domu(host_view({lost, domain_view("web1", DomainState::Crashed)}), "xen1", {});
    CHECK(overall(worse) == Status::Critical);
}

TEST_CASE("without expectations each domain is judged by itself", "[domu]") {
    DomainView lazy = domain_view("lazy", DomainState::ShutOff, "shut down");
    CHECK(overall(judge_domu(host_view({lazy, domain_view("web1")}), "xen1", {})) == Status::Ok);
    lazy.autostart = true;
    const CheckResult result = judge_domu(host_view({lazy}), "xen1", {});
    CHECK(overall(result) == Status::Warning);
    CHECK(result.summary == "lazy: shut off (shut down), but starts with the host");
    CHECK(overall(judge_domu(host_view(), "xen1", {})) == Status::Ok);
}

TEST_CASE("what the cluster file and the record want of a host", "[domu]") {
    Inventory inventory;
    for (const char* name : {"xen1", "xen2"}) {
        Host host;
        host.name = name;
        inventory.hosts.push_back(host);
    }
    const auto add = [&](const std::string& name, std::vector<std::string> hosts, Expected expect) {
        Domain domain;
        domain.name = name;
        domain.hosts = std::move(hosts);
        domain.expect = expect;
        inventory.domains.push_back(domain);
    };
    add("pinned", {"xen1"}, Expected::Running);
    add("free", {}, Expected::Running);
    add("other", {"xen2"}, Expected::Running);
    add("spare", {}, Expected::Off);
    ClusterRecord record;
    DomainRecord seen;
    seen.name = "free";
    seen.host = "xen1";
    seen.state = DomainState::Running;
    record.domains.push_back(seen);

    const auto judge = [&](const HostView& view, const ClusterRecord* known) {
        Expectations wanted;
        wanted.domains = expected_on(inventory, "xen1", known);
        return judge_domu(view, "xen1", wanted);
    };
    const HostView sound = host_view(
        {domain_view("free"), domain_view("pinned"), domain_view("spare", DomainState::ShutOff)});
    CHECK(overall(judge(sound, &record)) == Status::Ok);

    SECTION("a pinned domain is missed") {
        const CheckResult result = judge(host_view({domain_view("free")}), &record);
        CHECK(overall(result) == Status::Critical);
        CHECK(result.summary == "pinned: not on xen1 (may run nowhere else)");
    }
    SECTION("a free one is missed where it was last seen") {
        const HostView gone = host_view({domain_view("pinned")});
        CHECK(judge(gone, &record).summary == "free: not on xen1 (last seen here)");
        CHECK(overall(judge(gone, nullptr)) == Status::Ok);
        record.domains[0].host = "xen2";
        CHECK(overall(judge(gone, &record)) == Status::Ok);
    }
    SECTION("a free one that is defined and off here runs elsewhere") {
        const HostView off =
            host_view({domain_view("free", DomainState::ShutOff), domain_view("pinned")});
        CHECK(overall(judge(off, &record)) == Status::Critical);
        record.domains[0].host = "xen2";
        CHECK(overall(judge(off, &record)) == Status::Ok);
    }
    SECTION("a free one that is here and paused is an alarm wherever it belongs") {
        record.domains[0].host = "xen2";
        const HostView paused = host_view(
            {domain_view("free", DomainState::Paused, "I/O error"), domain_view("pinned")});
        CHECK(overall(judge(paused, &record)) == Status::Critical);
    }
    SECTION("one that should be off and runs") {
        const HostView busy =
            host_view({domain_view("free"), domain_view("pinned"), domain_view("spare")});
        CHECK(overall(judge(busy, &record)) == Status::Warning);
    }
}
