// SPDX-License-Identifier: GPL-3.0-or-later
// What check_domu and check_dom0 judge on a Xen host itself.
#include <algorithm>
#include <catch2/catch.hpp>

#include "plugins/xen_guests.hpp"
#include "plugins/xen_host.hpp"
#include "tests/unit/views.hpp"

using namespace domkeeper;
using test::domain_view;
using test::host_view;

namespace {

TimePoint at(int seconds) {
    return TimePoint(std::chrono::seconds(1'000'000 + seconds));
}

XenDomain xen_domain(int id, const std::string& name) {
    XenDomain out;
    out.id = id;
    out.uuid = "uuid-" + name;
    out.memory = out.memory_max = mebibytes(128);
    out.vcpus = out.vcpus_online = 2;
    out.weight = 256;
    out.cap = 0;
    return out;
}

XenGuests guests() {
    XenGuests out;
    out.xen.domains = {xen_domain(0, "Domain-0"), xen_domain(1, "web1")};
    out.tree[1] = {.name = "web1", .memory_target = mebibytes(127), .vcpus_wanted = 2};
    out.libvirt = host_view({domain_view("web1")});
    return out;
}

/// The worst thing said of the guests.
CheckResult told(const XenGuests& all, const Recall& recall = {}) {
    CheckResult result;
    for (const CheckResult& one : judge_xen_guests(all, {}, recall)) {
        if (worst(result.status, one.status) == one.status && one.status != result.status)
            result = one;
        if (result.summary.empty()) result = one;
    }
    return result;
}

XenHostFacts host_facts() {
    XenHostFacts facts;
    facts.xen = XenView{};
    facts.xen->machine.version = "4.17.7";
    facts.xen->machine.scheduler = "credit2";
    facts.xen->machine.memory_total = gibibytes(16);
    facts.xen->machine.memory_free = gibibytes(4);
    facts.xen->machine.cpus = 4;
    facts.xen->machine.pv = facts.xen->machine.hvm = facts.xen->machine.hap = true;
    facts.xen->domains = {xen_domain(0, "Domain-0")};
    facts.dom0.memory_total = gibibytes(2);
    facts.dom0.memory_available = gibibytes(1);
    facts.dom0.load = 1;
    facts.dom0.cpus = 2;
    facts.dom0.programs = {{"xenstored", {}},        {"oxenstored", {'S'}}, {"xenconsoled", {'S'}},
                           {"libvirtd", {'S', 'S'}}, {"virtxend", {}},      {"xenwatchdogd", {}}};
    facts.dom0.clock_synchronized = true;
    facts.dom0.clock_error = 0.01;
    return facts;
}

XenHostLimits host_limits() {
    XenHostLimits limits;
    limits.memory = {parse_range("10:"), parse_range("5:")};
    limits.own_memory = {parse_range("10:"), parse_range("5:")};
    limits.load = {parse_range("2"), std::nullopt};
    limits.daemons = {"xenstored/oxenstored", "xenconsoled", "libvirtd/virtxend"};
    return limits;
}

}  // namespace

TEST_CASE("a sound guest is described", "[xen]") {
    const CheckResult result = told(guests());
    CHECK(result.status == Status::Ok);
    CHECK(result.summary == "web1 (1): PV, 128 MiB, 2 processors, weight 256");
}

TEST_CASE("each thing that is wrong with a guest", "[xen]") {
    struct Row {
        const char* what;
        void (*change)(XenGuests&);
        Status status;
        const char* text;
    };
    const Row row = GENERATE(values<Row>({
        {"dying", [](XenGuests& g) { g.xen.domains[1].dying = true; }, Status::Critical,
         "web1 (1): dies without end and holds 128 MiB"},
        {"crashed",
         [](XenGuests& g) {
             g.xen.domains[1].shut_down = true;
             g.xen.domains[1].shutdown_code = 3;
         },
         Status::Critical, "web1 (1): crashed, and nobody cleared it away"},
        {"odd code",
         [](XenGuests& g) {
             g.xen.domains[1].shut_down = true;
             g.xen.domains[1].shutdown_code = 77;
         },
         Status::Critical, "web1 (1): stopped with code 77, and nobody cleared it away"},
        {"stranger", [](XenGuests& g) { g.libvirt->domains.clear(); }, Status::Warning,
         "web1 (1): runs, and libvirt does not know it"},
        {"stranger without a name",
         [](XenGuests& g) {
             g.libvirt->domains.clear();
             g.tree.clear();
         },
         Status::Warning, "domain 1: runs, and libvirt does not know it"},
        {"another one with that name", [](XenGuests& g) { g.libvirt->domains[0].id = 9; },
         Status::Critical,
         "web1 (9): libvirt takes it for running, and the hypervisor has no such domain"},
        {"lost", [](XenGuests& g) { g.xen.domains.pop_back(); }, Status::Critical,
         "web1 (1): libvirt takes it for running, and the hypervisor has no such domain"},
        {"paused by others", [](XenGuests& g) { g.xen.domains[1].paused = true; }, Status::Critical,
         "web1 (1): paused, and libvirt takes it for running"},
        {"paused, and libvirt knows",
         [](XenGuests& g) {
             g.xen.domains[1].paused = true;
             g.libvirt->domains[0].state = DomainState::Paused;
         },
         Status::Ok, "web1 (1): PV, 128 MiB, 2 processors, weight 256"},
        {"balloon, too little", [](XenGuests& g) { g.xen.domains[1].memory = mebibytes(90); },
         Status::Warning, "web1 (1): has 90 MiB of memory and should have 127 MiB"},
        {"balloon, too much", [](XenGuests& g) { g.tree[1].memory_target = mebibytes(64); },
         Status::Warning, "web1 (1): has 128 MiB of memory and should have 64 MiB"},
        {"processors", [](XenGuests& g) { g.xen.domains[1].vcpus_online = 1; }, Status::Warning,
         "web1 (1): uses 1 of 2 processors"},
        {"incoming", [](XenGuests& g) { g.tree[1].name = "web1--incoming"; }, Status::Warning,
         "web1--incoming (1): left behind by a migration"},
        {"hostile name",
         [](XenGuests& g) {
             g.tree[1].name = "a|b\n";
             g.xen.domains[1].vcpus_online = 1;
         },
         Status::Warning, "a?b? (1): uses 1 of 2 processors"},
        {"libvirt is silent", [](XenGuests& g) { g.libvirt.reset(); }, Status::Ok,
         "web1 (1): PV, 128 MiB, 2 processors, weight 256"},
    }));
    INFO(row.what);
    XenGuests all = guests();
    row.change(all);
    const CheckResult result = told(all);
    CHECK(result.status == row.status);
    CHECK(result.summary == row.text);
}

TEST_CASE("what passes is not told, what lasts is", "[xen]") {
    XenGuests all = guests();
    all.xen.domains[1].dying = true;
    Memory before;
    std::vector<Status> seen;
    for (const int second : {0, 30, 60, 90}) {
        Memory after;
        seen.push_back(told(all, {&before, &after, at(second)}).status);
        before = after;
    }
    CHECK(seen == std::vector<Status>{Status::Ok, Status::Ok, Status::Critical, Status::Critical});
}

TEST_CASE("a cap that is used up", "[xen]") {
    XenGuests all = guests();
    all.xen.domains[1].cap = 50;
    Memory before;
    Memory after;
    CHECK(told(all, {&before, &after, at(0)}).status == Status::Ok);
    all.xen.domains[1].cpu_time_ns = 4'900'000'000;
    Memory second;
    const CheckResult result = told(all, {&after, &second, at(10)});
    CHECK(result.status == Status::Warning);
    CHECK(result.summary ==
          "web1 (1): used 49 % of a processor since the last run, its cap is 50 %");
    all.xen.domains[1].cpu_time_ns = 6'000'000'000;
    Memory third;
    CHECK(told(all, {&second, &third, at(20)}).status == Status::Ok);
}

TEST_CASE("crash loops", "[xen]") {
    Memory before;
    std::vector<std::string> seen;
    int second = 0;
    for (const int id : {1, 2, 2, 5, 9, 9}) {
        HostView view = host_view({domain_view("web1"), domain_view("quiet")});
        view.domains[0].id = id;
        Memory after;
        const auto parts = judge_restarts(view, {}, {&before, &after, at(second)});
        seen.push_back(parts.empty() ? "" : parts[0].summary);
        before = after;
        second += 60;
        // Without a definition it is not even listed in between.
        Memory gone;
        CHECK(judge_restarts(host_view(), {}, {&before, &gone, at(second)}).empty());
        before = gone;
    }
    CHECK(seen == std::vector<std::string>{"", "", "", "",
                                           "web1: started again 3 times in 3min, ids 1 to 9",
                                           "web1: started again 3 times in 4min, ids 1 to 9"});
    HostView view = host_view({domain_view("web1")});
    view.domains[0].id = 9;
    Memory later;
    CHECK(judge_restarts(view, {}, {&before, &later, at(3700)}).empty());
    CHECK(judge_restarts(view, {}, {}).empty());
}

TEST_CASE("a sound Xen host", "[xen]") {
    const CheckResult result = judge_xen_host(host_facts(), host_limits(), {});
    CHECK(overall(result) == Status::Ok);
    CHECK(result.summary ==
          "this host: 4 GiB of 16 GiB free, 25 %, dom0 holds 128 MiB, Xen 4.17.7, scheduler "
          "credit2, 2 virtual on 4 processors, dom0 has 1 GiB of 2 GiB available, 50 %, load 0.5 "
          "for each processor");
}

TEST_CASE("each thing that is wrong with a Xen host", "[xen]") {
    struct Row {
        const char* what;
        void (*change)(XenHostFacts&, XenHostLimits&);
        Status status;
        const char* text;
    };
    static const VifView vif{.domain = 1,
                             .name = "vif1.0",
                             .bridge = "xbr0",
                             .there = true,
                             .bridge_there = true,
                             .bridge_up = true,
                             .joined = true};
    const Row row = GENERATE(values<Row>({
        {"no hypervisor",
         [](XenHostFacts& f, XenHostLimits&) {
             f.xen.reset();
             f.xen_trouble = "Xen: reading the machine: Permission denied";
         },
         Status::Unknown, "Xen: reading the machine: Permission denied"},
        {"memory",
         [](XenHostFacts& f, XenHostLimits&) { f.xen->machine.memory_free = gibibytes(1); },
         Status::Warning, "1 GiB of 16 GiB free, 6.2 %, dom0 holds 128 MiB"},
        {"own memory",
         [](XenHostFacts& f, XenHostLimits&) { f.dom0.memory_available = mebibytes(20); },
         Status::Critical, "dom0 has 20 MiB of 2 GiB available, 1 %"},
        {"load", [](XenHostFacts& f, XenHostLimits&) { f.dom0.load = 9; }, Status::Warning,
         "load 4.5 for each processor"},
        {"no xenstored",
         [](XenHostFacts& f, XenHostLimits&) { f.dom0.programs["oxenstored"] = {}; },
         Status::Critical, "xenstored or oxenstored does not run"},
        {"stopped",
         [](XenHostFacts& f, XenHostLimits&) {
             f.dom0.programs["libvirtd"] = {'T', 'T'};
         },
         Status::Critical, "libvirtd or virtxend is stopped (by a signal or a debugger)"},
        {"a zombie",
         [](XenHostFacts& f, XenHostLimits&) { f.dom0.programs["xenconsoled"] = {'Z'}; },
         Status::Critical, "xenconsoled does not run"},
        {"no watchdog", [](XenHostFacts&, XenHostLimits& l) { l.watchdog = true; },
         Status::Critical, "xenwatchdogd does not run"},
        {"autostart", [](XenHostFacts& f, XenHostLimits&) { f.dom0.autostart = {"web1.cfg"}; },
         Status::Warning,
         "web1.cfg: xendomains starts it with the host; after a recovery it would run twice"},
        {"clock", [](XenHostFacts& f, XenHostLimits&) { f.dom0.clock_synchronized = false; },
         Status::Warning, "the clock is not synchronized"},
        {"bad clock", [](XenHostFacts& f, XenHostLimits&) { f.dom0.clock_error = 3; },
         Status::Warning, "the clock is right to 3 s"},
        {"interface",
         [](XenHostFacts& f, XenHostLimits&) {
             f.dom0.vifs = {vif};
             f.dom0.vifs[0].there = false;
         },
         Status::Critical, "vif1.0: the interface is gone"},
        {"bridge",
         [](XenHostFacts& f, XenHostLimits&) {
             f.dom0.vifs = {vif};
             f.dom0.vifs[0].bridge_there = false;
         },
         Status::Critical, "vif1.0: its bridge xbr0 is not there"},
        {"bridge down",
         [](XenHostFacts& f, XenHostLimits&) {
             f.dom0.vifs = {vif};
             f.dom0.vifs[0].bridge_up = false;
         },
         Status::Critical, "vif1.0: its bridge xbr0 is down"},
        {"not in it",
         [](XenHostFacts& f, XenHostLimits&) {
             f.dom0.vifs = {vif};
             f.dom0.vifs[0].joined = false;
         },
         Status::Critical, "vif1.0: it is not in its bridge xbr0"},
        {"in place", [](XenHostFacts& f, XenHostLimits&) { f.dom0.vifs = {vif}; }, Status::Ok, ""},
        {"xenstored is silent", [](XenHostFacts& f, XenHostLimits&) { f.vif_trouble = "late"; },
         Status::Unknown, "the bridges of guests are not known: late"},
        {"no live PV", [](XenHostFacts&, XenHostLimits& l) { l.live_migration = {"pv"}; },
         Status::Warning, "can move live: PVH and HVM; not PV, since it has no shadow paging"},
        {"live HVM", [](XenHostFacts&, XenHostLimits& l) { l.live_migration = {"hvm"}; },
         Status::Ok, ""},
    }));
    INFO(row.what);
    XenHostFacts facts = host_facts();
    XenHostLimits limits = host_limits();
    row.change(facts, limits);
    const CheckResult result = judge_xen_host(facts, limits, {});
    CHECK(overall(result) == row.status);
    if (row.status != Status::Ok) CHECK(result.summary == row.text);
}

TEST_CASE("errors of interfaces and messages since the last run", "[xen]") {
    XenHostFacts facts = host_facts();
    facts.dom0.vifs = {{.domain = 1, .name = "vif1.0", .bridge = {}, .there = true, .errors = 5}};
    facts.messages = "(XEN) one\n(XEN) d3 crashed\n(XEN) two\n";
    Memory before;
    Memory first;
    CHECK(overall(judge_xen_host(facts, host_limits(), {&before, &first, at(0)})) == Status::Ok);
    Memory second;
    CHECK(overall(judge_xen_host(facts, host_limits(), {&first, &second, at(9)})) == Status::Ok);
    facts.dom0.vifs[0].errors = 12;
    *facts.messages += "(XEN) Domain 7 (vcpu#0) crashed on cpu#0:\n(XEN) three\nhalf a crashed li";
    Memory third;
    const CheckResult result = judge_xen_host(facts, host_limits(), {&second, &third, at(20)});
    CHECK(overall(result) == Status::Warning);
    CHECK(result.summary ==
          "vif1.0: 7 errors and drops since the last run; the hypervisor says: (XEN) Domain 7 "
          "(vcpu#0) crashed on cpu#0:");
    // The ring lost its beginning.
    facts.messages = facts.messages->substr(10);
    *facts.messages += "ne\n";
    Memory fourth;
    CHECK(new_alarms(*facts.messages, {&third, &fourth, at(30)}, 9) ==
          std::vector<std::string>{"half a crashed line"});
    Memory fifth;  // nothing of it is known any more
    CHECK(new_alarms("a\nb crashed\nc crashed\nd crashed\n", {&fourth, &fifth, at(40)}, 2) ==
          std::vector<std::string>{"b crashed", "c crashed"});
}
