// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/fence_devices.hpp"

#include <catch2/catch.hpp>

#include "lib/core/agent_options.hpp"

using namespace domkeeper;

namespace {

DeviceFacts device(PowerState state, FailureKind kind = FailureKind::None,
                   Coverage covers = Coverage::everything()) {
    return {
        "bmc", {state, kind, kind == FailureKind::None ? "" : "bmc: why"}, Duration{20}, covers};
}

}  // namespace

TEST_CASE("check_fence: what the facts mean") {
    const Coverage disks = Coverage::of_disks({"e7.1"});
    const struct {
        const char* what;
        bool alive;
        std::vector<DeviceFacts> devices;
        Status status;
        const char* text;
    } rows[] = {
        {"on", true, {device(PowerState::On)}, Status::Ok, "1 of 1 fence device ready"},
        {"off beside a silent host", false, {device(PowerState::Off)}, Status::Ok, "1 of 1"},
        {"off although the host lives",
         true,
         {device(PowerState::Off)},
         Status::Critical,
         "reads off although a lives"},
        {"on in part", true, {device(PowerState::Mixed)}, Status::Ok, "1 of 1"},
        {"cut off although it lives",
         true,
         {device(PowerState::Off, FailureKind::None, disks)},
         Status::Warning,
         "cut off from disk e7.1"},
        {"silent device",
         true,
         {device(PowerState::Unknown, FailureKind::TimedOut)},
         Status::Critical,
         "could not fence a (timeout): bmc: why"},
        {"no such plug",
         true,
         {device(PowerState::Unknown, FailureKind::NoSuchPlug)},
         Status::Critical,
         "(no such plug)"},
        {"unknown state",
         true,
         {device(PowerState::Unknown, FailureKind::Unverified)},
         Status::Critical,
         "(unverified)"},
        {"this machine failed",
         true,
         {device(PowerState::Unknown, FailureKind::System)},
         Status::Unknown,
         "could not be asked"},
        {"no device", true, {}, Status::Warning, "no fence device"},
        {"one of two is dead",
         true,
         {device(PowerState::On), device(PowerState::Unknown, FailureKind::Login)},
         Status::Critical,
         "1 of 2 fence devices ready"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const CheckResult result = judge_fence_devices({{"a", row.alive, row.devices}});
        CHECK((overall(result) == row.status));
        CHECK(result.summary.find(row.text) != std::string::npos);
    }
}

TEST_CASE("fence devices: which agents of the system may be run") {
    for (const char* good : {"/usr/sbin/fence_apc_snmp", "/usr/local/sbin/fence_x1"}) {
        INFO(good);
        CHECK(is_external_agent(good));
    }
    for (const char* bad :
         {"", "fence_apc", "/usr/sbin/", "/usr/sbin/fence_", "/usr/sbin/reboot", "/tmp/fence_x",
          "/usr/sbin/fence_../x", "/usr/sbin/fence_a/b", "/usr/sbin/../sbin/fence_x",
          "/usr/sbin/fence_x;y", "/usr/sbin/fence_X"}) {
        INFO(bad);
        CHECK_FALSE(is_external_agent(bad));
    }
}

TEST_CASE("fence devices: what Off proves, by the configuration") {
    const auto covers = [](const std::string& agent, std::map<std::string, std::string> options) {
        return configured_coverage({"d", agent, std::move(options), {}}).text();
    };
    CHECK(covers("fence_ipmi", {}) == "everything");
    CHECK(covers("fence_pdu", {}) == "everything");
    CHECK(covers("fence_pdu", {{"family", "ifmib"}}) == "nothing");
    CHECK(covers("fence_pdu", {{"family", "ifmib"}, {"disks", "e7.1"}}) == "disk e7.1");
    CHECK(covers("/usr/sbin/fence_apc_snmp", {}) == "everything");
    CHECK(covers("/usr/sbin/fence_scsi", {}) == "nothing");
    CHECK(covers("/usr/sbin/fence_scsi", {{"disks", "iqn.2026-01.lab:t/1"}}) ==
          "disk iqn.2026-01.lab:t/1");
    CHECK(covers("fence_unheard_of", {}) == "nothing");
}
