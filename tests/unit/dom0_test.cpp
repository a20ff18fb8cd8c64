// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/dom0.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/views.hpp"

using namespace domkeeper;
using test::domain_view;
using test::host_view;

TEST_CASE("a host without thresholds is described", "[dom0]") {
    const CheckResult result = judge_dom0(
        host_view({domain_view("a"), domain_view("b", DomainState::ShutOff)}), "xen1", {});
    CHECK(overall(result) == Status::Ok);
    CHECK(result.summary ==
          "xen1: answered in 0.004 s, 4 GiB of 16 GiB memory left, 25 %, 1 of 2 domains active, "
          "QEMU 7.2.22, libvirt 9.0.0");
    CHECK(render_perfdata(result.perfdata) ==
          "'time'=0.004s;;;0 'memory_left'=4294967296B;;;0;17179869184 "
          "'memory_left_percent'=25%;;;0;100 'domains_active'=1;;;0 'domains_defined'=2;;;0");
}

TEST_CASE("thresholds of a host", "[dom0]") {
    struct Row {
        const char* time_warning;
        const char* time_critical;
        const char* memory_warning;
        const char* memory_critical;
        const char* domains_critical;
        Status status;
    };
    const Row row = GENERATE(values<Row>({
        {"1", "5", "10:", "5:", "10", Status::Ok},
        {"0.001", "5", "10:", "5:", "10", Status::Warning},
        {"0.001", "0.002", "10:", "5:", "10", Status::Critical},
        {"1", "5", "30:", "5:", "10", Status::Warning},
        {"1", "5", "50:", "30:", "10", Status::Critical},
        {"1", "5", "10:", "5:", "2:", Status::Critical},
    }));
    Dom0Thresholds thresholds;
    thresholds.time = {parse_range(row.time_warning), parse_range(row.time_critical)};
    thresholds.memory = {parse_range(row.memory_warning), parse_range(row.memory_critical)};
    thresholds.domains = {std::nullopt, parse_range(row.domains_critical)};
    const CheckResult result = judge_dom0(host_view({domain_view("a")}), "xen1", thresholds);
    INFO(result.summary);
    CHECK(overall(result) == row.status);
    CHECK((result.summary.find(" outside ") != std::string::npos) == (row.status != Status::Ok));
}

TEST_CASE("memory that the driver does not tell", "[dom0]") {
    HostView view = host_view();
    view.memory_free.reset();
    CHECK(overall(judge_dom0(view, "xen1", {})) == Status::Ok);
    Dom0Thresholds thresholds;
    thresholds.memory.warning = parse_range("10:");
    CHECK(overall(judge_dom0(view, "xen1", thresholds)) == Status::Unknown);
}

TEST_CASE("a hostile hypervisor can't break the output", "[dom0]") {
    HostView view = host_view();
    view.hypervisor = "QEMU|x\n" + std::string(1000, 'y');
    view.libvirt = "9|\n";
    view.hostname = "|\n";
    const std::string text = render_result("DOM0", judge_dom0(view, "x|\n", {}), 1);
    const std::string first = text.substr(0, text.find('\n'));
    CHECK(std::count(first.begin(), first.end(), '|') == 1);
    CHECK(text.size() < 2000);
}
