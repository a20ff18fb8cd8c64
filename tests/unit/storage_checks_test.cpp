// SPDX-License-Identifier: GPL-3.0-or-later
// The judging of check_aoe and check_iscsi, and the options of the storage fences.
#include <catch2/catch.hpp>

#include "lib/core/error.hpp"
#include "lib/io/aoe_fence.hpp"
#include "lib/io/iscsi_fence.hpp"
#include "plugins/aoe.hpp"
#include "plugins/iscsi.hpp"

using namespace domkeeper;
using std::chrono::microseconds;

namespace {

const MacAddress own{2, 0, 0, 0, 0, 1};
const MacAddress host1{2, 0, 0, 0, 0, 2};
const MacAddress host2{2, 0, 0, 0, 0, 3};

AoePath good_path() {
    AoePath path;
    path.address = {7, 3};
    path.mac = {2, 0, 0, 0, 1, 1};
    path.config.buffers = 16;
    path.config.version = 1;
    path.identity = AtaIdentity{"disk", "s1", "V1", 16384};
    path.reserved.emplace();
    path.latencies = {microseconds(10), microseconds(30), microseconds(20)};
    return path;
}

std::vector<NetworkInterface> one_interface() {
    return {{.name = "eth1", .index = 2, .mac = own, .up = true, .link = true}};
}

CheckResult judge(const AoePath& path, AoeExpectations wanted = {}) {
    if (wanted.targets.empty()) wanted.targets = {{{7, 3}, {}}};
    AoeSurveyed seen;
    seen.trouble.resize(1);
    seen.facts.paths = {path};
    return judge_aoe(one_interface(), seen, wanted);
}

IscsiDisk good_disk() {
    IscsiDisk disk;
    disk.inquiry.emplace();
    disk.capacity = ScsiCapacity{131072, 512};
    disk.write_protected = false;
    disk.latencies = {microseconds(10), microseconds(30)};
    disk.keys.emplace();
    disk.reservation.emplace();
    return disk;
}

CheckResult judge(const IscsiDisk& disk, const IscsiExpectations& wanted = {}) {
    return judge_iscsi("t1", "t1/1", {"t1", 1, {}}, disk, wanted);
}

FenceDevice device(const std::string& agent, std::map<std::string, std::string> options) {
    FenceDevice out;
    out.name = "d";
    out.agent = agent;
    out.options = std::move(options);
    return out;
}

}  // namespace

TEST_CASE("Storage: median and p99") {
    CHECK(summarize({}).count == 0);
    const Latency few = summarize({microseconds(30), microseconds(10), microseconds(20)});
    CHECK(few.median == Approx(20e-6));
    CHECK(few.p99 == Approx(30e-6));
    std::vector<microseconds> many;
    for (int i = 1; i <= 200; ++i) many.emplace_back(i);
    CHECK(summarize(many).median == Approx(100.5e-6));
    CHECK(summarize(many).p99 == Approx(198e-6));
}

TEST_CASE("check_aoe: --target") {
    CHECK_FALSE(parse_aoe_target("e7.3").size);
    CHECK(parse_aoe_target("7.3=8GiB").size->count == gibibytes(8).count);
    for (const char* text : {"", "7", "7.3=", "7.3=8GB", "7.3=0", "x=8GiB"})
        CHECK_THROWS_AS(parse_aoe_target(text), UsageError);
}

TEST_CASE("check_aoe: each fault has its status and names what to do") {
    CHECK(overall(judge(good_path())) == Status::Ok);
    AoePath path = good_path();
    SECTION("silent") {
        path.silent = true;
        CHECK(judge(path).summary ==
              "7.3: fell silent after 3 reads: the target hangs or has gone");
    }
    SECTION("failing reads") {
        path.failed_reads = 2;
        path.trouble = "sector 5: ATA error 0x40, unreadable";
        const CheckResult result = judge(path);
        CHECK(overall(result) == Status::Critical);
        CHECK(result.summary ==
              "7.3: 2 of 5 reads failed (sector 5: ATA error 0x40, unreadable): look at the "
              "target's disk");
    }
    SECTION("no sectors") {
        path.identity->sectors = 0;
        CHECK(overall(judge(path)) == Status::Critical);
    }
    SECTION("shut out") {
        path.reserved = {own, host2};
        AoeExpectations wanted;
        wanted.access = {host1, host2};
        const CheckResult result = judge(path, wanted);
        CHECK(overall(result) == Status::Critical);
        CHECK(result.summary.find("02:00:00:00:00:02 shut out") != std::string::npos);
        wanted.access = {host2};
        CHECK(overall(judge(path, wanted)) == Status::Ok);
    }
    SECTION("no read, and a limit on reads") {
        path.latencies.clear();
        path.refused = AoeError::Reserved;
        path.failed_reads = 1;
        path.reserved = {host1};
        AoeExpectations wanted;
        wanted.access = {host1};
        CHECK(overall(judge(path, wanted)) == Status::Ok);
        wanted.thresholds.median.critical = Range{0, 1};
        CHECK(overall(judge(path, wanted)) == Status::Unknown);
    }
    SECTION("a config string that would spoil the line") {
        path.config.config = "a|b\nc";
        CHECK(judge(path).summary.find("config \"a?b?c\"") != std::string::npos);
    }
    SECTION("frames dropped on the way are seen as perfdata") {
        AoeSurveyed seen;
        seen.trouble.resize(1);
        seen.facts.paths = {path};
        seen.facts.malformed = 3;
        AoeExpectations wanted;
        wanted.targets = {{{7, 3}, {}}};
        const std::string text = render_result("AOE", judge_aoe(one_interface(), seen, wanted), 0);
        CHECK(text.find("'dropped_malformed'=3") != std::string::npos);
    }
}

TEST_CASE("check_iscsi: --target") {
    CHECK(parse_iscsi_unit("iqn.x:t1", 4).lun == 4);
    const IscsiUnit unit = parse_iscsi_unit("iqn.x:t1/7=64MiB", 0);
    CHECK(unit.target == "iqn.x:t1");
    CHECK(unit.lun == 7);
    CHECK(unit.size->count == mebibytes(64).count);
    for (const char* text : {"", "/1", "iqn.x:t1/", "iqn.x:t1/-1", "iqn.x:t1/16384",
                             "iqn.x:t1=", "iqn x", "iqn.x:t1/1=0"})
        CHECK_THROWS_AS(parse_iscsi_unit(text, 0), UsageError);
    CHECK_THROWS_AS(parse_iscsi_unit(std::string(224, 'x'), 0), UsageError);
}

TEST_CASE("check_iscsi: portals") {
    const auto portal = [](const std::string& text) {
        IscsiLogin login;
        parse_portal(text, login);
        return login.host + " " + std::to_string(login.port);
    };
    CHECK(portal("san1") == "san1 3260");
    CHECK(portal("10.0.0.1:860") == "10.0.0.1 860");
    CHECK(portal("[fd00::1]:860") == "fd00::1 860");
    CHECK(portal("fd00::1") == "fd00::1 3260");
    for (const char* text : {"", ":3260", "san1:", "san1:0", "san1:65536", "[fd00::1", "a b"})
        CHECK_THROWS_AS(portal(text), UsageError);
}

TEST_CASE("check_iscsi: each fault has its status") {
    CHECK(overall(judge(good_disk())) == Status::Ok);
    IscsiDisk disk = good_disk();
    IscsiExpectations wanted;
    SECTION("not ready") {
        disk.not_ready = "not ready (0x2/0x04/0x00)";
        CHECK(judge(disk).summary ==
              "t1: LUN 1 is not ready: not ready (0x2/0x04/0x00): look at the target's disk");
    }
    SECTION("held by another host") {
        disk.capacity.reset();
        disk.not_ready = "reservation conflict";
        CHECK(judge(disk).summary ==
              "t1: LUN 1 is reserved by another host for itself (reservation conflict): find out "
              "who holds it, and end that");
        CHECK(overall(judge(disk)) == Status::Critical);
    }
    SECTION("write protected") {
        disk.write_protected = true;
        CHECK(overall(judge(disk)) == Status::Critical);
        wanted.read_only = true;
        CHECK(overall(judge(disk, wanted)) == Status::Ok);
    }
    SECTION("ALUA") {
        disk.port_groups = {{1, 0}, {2, 2}};
        CHECK(overall(judge(disk)) == Status::Ok);
        disk.port_groups = {{1, 0}, {2, 3}};
        CHECK(overall(judge(disk)) == Status::Warning);
        disk.port_groups = {{1, 2}, {2, 3}};
        CHECK(overall(judge(disk)) == Status::Critical);
    }
    SECTION("keys") {
        wanted.keys = {0xA1};
        CHECK(overall(judge(disk, wanted)) == Status::Critical);
        disk.keys = {0xA1, iscsi_fence_key};
        CHECK(overall(judge(disk, wanted)) == Status::Ok);
        disk.keys = {0xA1, 0xA2};
        CHECK(judge(disk, wanted).summary ==
              "t1: a stranger is registered, 0xa2: find out who took it");
        disk.keys.reset();
        CHECK(overall(judge(disk, wanted)) == Status::Unknown);
    }
    SECTION("no disk, no size") {
        disk.capacity.reset();
        CHECK(overall(judge(disk)) == Status::Critical);
        disk.inquiry->kind = 0x0C;
        CHECK(judge(disk).summary == "t1: LUN 1 is no disk (type 12): is it another LUN?");
    }
    SECTION("trouble on the way is said as it is") {
        disk.trouble = "t1 refuses";
        CHECK(judge(disk).summary == "t1 refuses");
        CHECK(overall(judge(disk)) == Status::Critical);
    }
}

TEST_CASE("fence_aoe: its options") {
    const std::map<std::string, std::string> good{{"disks", "e7.1 e7.2"},
                                                  {"interface", "eth1"},
                                                  {"plug", "02:00:00:00:00:02"},
                                                  {"hosts", "02:00:00:00:00:02,02:00:00:00:00:03"}};
    const auto fence = open_aoe_fence(device("fence_aoe", good));
    CHECK(fence->coverage() == Coverage::of_disks({"e7.1", "e7.2"}));
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"disks", ""}, {"interface", ""}, {"plug", ""}, {"hosts", ""}, {"plug", "x"}}) {
        auto bad = good;
        bad[name] = value;
        CHECK_THROWS_AS(open_aoe_fence(device("fence_aoe", bad)), UsageError);
    }
    auto alone = good;
    alone["hosts"] = alone["plug"];
    CHECK_THROWS_AS(open_aoe_fence(device("fence_aoe", alone)), UsageError);
    auto group = good;
    group["hosts"] = "01:00:00:00:00:02";
    CHECK_THROWS_AS(open_aoe_fence(device("fence_aoe", group)), UsageError);
}

TEST_CASE("fence_iscsi: its options") {
    const std::map<std::string, std::string> good{{"disks", "iqn.2026-01.lab:t1/1"},
                                                  {"ip", "127.0.0.1"},
                                                  {"plug", "0xa1"},
                                                  {"hosts", "0xa1"}};
    const auto fence = open_iscsi_fence(device("fence_iscsi", good), "");
    CHECK(fence->coverage() == Coverage::of_disks({"iqn.2026-01.lab:t1/1"}));
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"disks", "e7.1"}, {"ip", "a b"}, {"plug", "0"}, {"ipport", "0"}, {"hosts", ""}}) {
        auto bad = good;
        bad[name] = value;
        CHECK_THROWS_AS(open_iscsi_fence(device("fence_iscsi", bad), ""), UsageError);
    }
    // On another machine than the host nobody can register for it.
    CHECK_THROWS_AS(fence->command(PowerCommand::On, Deadline{}), UsageError);
}
