// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/fencing.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "lib/core/error.hpp"
#include "tests/unit/virtual_scheduler.hpp"

using namespace domkeeper;
using std::chrono::milliseconds;

namespace {

/// A device of invented behaviour. Only its own task touches it.
struct FakeDevice {
    bool power = true;
    Duration relay{0};             ///< a command takes effect this much later
    bool stuck = false;            ///< commands are accepted and do nothing
    int ignored = 0;               ///< so many commands are accepted and do nothing
    bool garbage = false;          ///< its state can't be told
    bool silent = false;           ///< every call hangs to its deadline
    bool dies_at_command = false;  ///< takes the command and is silent from then on
    bool denies_reading = false;
    bool denies_command = false;
    int broken_answers = 0;  ///< so many readings are malformed
    int busy = 0;            ///< so many commands fail
    int back_on = 0;         ///< so many times it comes on by itself after a reading of off
    Duration gone{0};        ///< silent for this long after a command
    Duration takes{0};       ///< for an answer
    int reads = 0;
    std::vector<Instant> commands;
    Coverage covers = Coverage::everything();

    bool next_power = true;
    Instant changes{};
    Instant silent_until{};
};

class FakeSwitch final : public PowerSwitch {
  public:
    FakeSwitch(FakeDevice& device, Scheduler& scheduler) : d_(device), scheduler_(scheduler) {}

    PowerState read(Deadline deadline) override {
        ++d_.reads;
        if (d_.takes > Duration{0}) scheduler_.sleep_until(scheduler_.now().mono + d_.takes);
        const Instant now = scheduler_.now().mono;
        if (d_.silent || now < d_.silent_until) hang(deadline);
        if (d_.denies_reading) throw Denied("wrong password");
        if (d_.broken_answers > 0) {
            --d_.broken_answers;
            throw ProtocolError("short answer");
        }
        if (d_.garbage) return PowerState::Unknown;
        if (now >= d_.changes) d_.power = d_.next_power;
        if (!d_.power && d_.back_on > 0) {  // the next reading finds it on
            --d_.back_on;
            d_.power = d_.next_power = true;
            return PowerState::Off;
        }
        return d_.power ? PowerState::On : PowerState::Off;
    }
    void command(PowerCommand command, Deadline deadline) override {
        const Instant now = scheduler_.now().mono;
        d_.commands.push_back(now);
        if (d_.silent) hang(deadline);
        if (d_.denies_command) throw Denied("privilege too low");
        if (d_.dies_at_command) {
            d_.silent = true;
            return;
        }
        if (d_.busy > 0) {
            --d_.busy;
            throw ProtocolError("busy");
        }
        d_.silent_until = now + d_.gone;
        if (d_.stuck) return;
        if (d_.ignored > 0) {
            --d_.ignored;
            return;
        }
        const bool wanted = command == PowerCommand::On;
        if (wanted == d_.next_power) return;  // on its way already
        d_.next_power = wanted;
        d_.changes = now + d_.relay;
    }
    Coverage coverage() const override { return d_.covers; }

  private:
    [[noreturn]] void hang(Deadline deadline) {
        scheduler_.sleep_until(deadline.at);
        throw TimedOut("no answer");
    }
    FakeDevice& d_;
    Scheduler& scheduler_;
};

/// A rack of fake devices with its own time.
class Rack final : public PowerSwitches {
  public:
    std::map<std::string, FakeDevice> devices;
    test::VirtualScheduler scheduler;  // after the devices: its tasks end before they go
    FencingAuthority authority{*this, scheduler};

    std::unique_ptr<PowerSwitch> open(const FenceDevice& device) override {
        if (device.agent == "nonsense") throw UsageError("unknown agent nonsense");
        FakeDevice& fake = devices[device.name];
        fake.next_power = fake.power;
        return std::make_unique<FakeSwitch>(fake, scheduler);
    }
    FenceDevice named(const std::string& name) {
        devices.try_emplace(name);
        return {name, "fake", {}, {}};
    }
    Deadline in(Duration span) { return Deadline{scheduler.now().mono + span}; }
    Duration clock() {
        return std::chrono::duration_cast<Duration>(scheduler.now().mono.time_since_epoch());
    }
    FenceOutcome fence_one(Duration span = milliseconds(20'000)) {
        return authority.fence("xen1", {named("bmc")}, in(span));
    }
    FakeDevice& bmc() { return devices["bmc"]; }
};

}  // namespace

TEST_CASE("fencing: a host that is on is switched off and proved") {
    Rack rack;
    const FenceOutcome out = rack.fence_one();
    REQUIRE(out.proof);
    CHECK(out.kind == FailureKind::None);
    CHECK(out.reason.empty());
    CHECK(out.proof->host() == "xen1");
    CHECK(out.proof->evidence() == "bmc reads off");
    CHECK_FALSE(out.already_off);
    CHECK(rack.bmc().commands.size() == 1);
    CHECK(rack.clock() <= milliseconds(10));
}

TEST_CASE("fencing: a host that is off already gets no command") {
    Rack rack;
    rack.bmc().power = false;
    const FenceOutcome out = rack.fence_one();
    REQUIRE(out.proof);
    CHECK(out.proof->evidence() == "bmc reads off as it already did");
    CHECK(out.already_off);
    CHECK(rack.bmc().commands.empty());
    CHECK(rack.bmc().reads == 2);
    CHECK(rack.clock() == milliseconds(0));
}

TEST_CASE("fencing: a slow relay is waited for, and is seen soon after it falls") {
    const struct {
        int relay_ms, late_ms;
        std::size_t commands;
        int most_reads;
    } rows[] = {{0, 5, 1, 5},        {50, 15, 1, 12},     {700, 15, 1, 60},
                {1'400, 15, 1, 110}, {2'500, 30, 1, 145}, {9'000, 200, 2, 260}};
    for (const auto& row : rows) {
        INFO(row.relay_ms);
        Rack rack;
        rack.bmc().relay = milliseconds(row.relay_ms);
        const FenceOutcome out = rack.fence_one();
        REQUIRE(out.proof);
        CHECK(rack.clock() >= milliseconds(row.relay_ms));
        CHECK(rack.clock() <= milliseconds(row.relay_ms + row.late_ms));
        CHECK(rack.bmc().commands.size() == row.commands);
        CHECK(rack.bmc().reads <= row.most_reads);
    }
}

TEST_CASE("fencing: a device that takes its time is left alone for half as long again") {
    Rack rack;
    rack.bmc().relay = milliseconds(1'000);
    rack.bmc().takes = milliseconds(80);
    REQUIRE(rack.fence_one().proof);
    CHECK(rack.bmc().reads <= 2 + 1'000 / (80 + 40) + 1);
    CHECK(rack.clock() <= milliseconds(1'000 + 80 + 40 + 80 + 80));
}

TEST_CASE("fencing: what is never a proof") {
    const struct {
        const char* what;
        void (*arrange)(FakeDevice&);
        FailureKind kind;
        int at_least_ms, at_most_ms;
        const char* reason;
    } rows[] = {
        {"stuck relay", [](FakeDevice& d) { d.stuck = true; }, FailureKind::Stuck, 9'900, 10'000,
         "bmc: still reads on"},
        {"relay slower than the deadline", [](FakeDevice& d) { d.relay = milliseconds(60'000); },
         FailureKind::Stuck, 9'900, 10'000, "bmc: still reads on"},
        {"garbage", [](FakeDevice& d) { d.garbage = true; }, FailureKind::Unverified, 9'900, 10'000,
         "can't be told"},
        {"malformed answers", [](FakeDevice& d) { d.broken_answers = 1'000'000; },
         FailureKind::Protocol, 9'900, 10'000, "short answer"},
        {"silence from the start is given up early", [](FakeDevice& d) { d.silent = true; },
         FailureKind::TimedOut, 4'900, 5'100, "no answer"},
        {"dies between command and reading", [](FakeDevice& d) { d.dies_at_command = true; },
         FailureKind::TimedOut, 9'900, 10'000, "no answer"},
        {"wrong password", [](FakeDevice& d) { d.denies_reading = true; }, FailureKind::Login, 0, 0,
         "wrong password"},
        {"privilege too low for the command", [](FakeDevice& d) { d.denies_command = true; },
         FailureKind::Login, 0, 0, "privilege too low"},
        {"commands always fail", [](FakeDevice& d) { d.busy = 1'000'000; }, FailureKind::Protocol,
         9'900, 10'000, "the command failed (busy), it reads on"},
        {"comes back on for ever", [](FakeDevice& d) { d.back_on = 1'000'000; },
         FailureKind::Unverified, 0, 10'000, "reads on again after it read off"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        Rack rack;
        row.arrange(rack.bmc());
        const FenceOutcome out = rack.fence_one(milliseconds(10'000));
        CHECK_FALSE(out.proof);
        CHECK(failure_kind_name(out.kind) == failure_kind_name(row.kind));
        CHECK(out.reason.find(row.reason) != std::string::npos);
        CHECK(out.reason.substr(0, 5) == "bmc: ");
        CHECK(rack.clock() >= milliseconds(row.at_least_ms));
        CHECK(rack.clock() <= milliseconds(row.at_most_ms));
    }
}

TEST_CASE("fencing: what is borne with") {
    const struct {
        const char* what;
        void (*arrange)(FakeDevice&);
        std::size_t commands;
        int at_most_ms;
    } rows[] = {
        {"the first command is lost", [](FakeDevice& d) { d.ignored = 1; }, 2, 3'300},
        {"a few malformed answers", [](FakeDevice& d) { d.broken_answers = 3; }, 1, 100},
        {"busy for two commands", [](FakeDevice& d) { d.busy = 2; }, 3, 1'700},
        {"silent for seconds after the command",
         [](FakeDevice& d) { d.gone = milliseconds(7'000); }, 1, 10'000},
        {"comes back on once", [](FakeDevice& d) { d.back_on = 1; }, 2, 100},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        Rack rack;
        row.arrange(rack.bmc());
        const FenceOutcome out = rack.fence_one();
        CHECK(out.proof);
        CHECK(out.reason == "");
        CHECK(rack.bmc().commands.size() == row.commands);
        CHECK(rack.clock() <= milliseconds(row.at_most_ms));
    }
}

TEST_CASE("fencing: a stuck relay gets the command twice and no more") {
    Rack rack;
    rack.bmc().stuck = true;
    rack.fence_one(milliseconds(60'000));
    REQUIRE(rack.bmc().commands.size() == 2);
    CHECK(rack.bmc().commands[1] - rack.bmc().commands[0] >= milliseconds(3'000));
}

TEST_CASE("fencing: every device of a level must be off, all at one moment") {
    Rack rack;
    const std::vector<FenceDevice> level = {rack.named("a"), rack.named("b")};
    SECTION("both go off, side by side") {
        rack.devices["a"].relay = milliseconds(1'000);
        rack.devices["b"].relay = milliseconds(1'000);
        const FenceOutcome out = rack.authority.fence("xen1", level, rack.in(milliseconds(9'000)));
        REQUIRE(out.proof);
        CHECK(out.proof->evidence() == "a reads off, b reads off");
        CHECK(rack.clock() < milliseconds(1'300));
    }
    SECTION("one of two still on") {
        rack.devices["b"].stuck = true;
        const FenceOutcome out = rack.authority.fence("xen1", level, rack.in(milliseconds(9'000)));
        CHECK_FALSE(out.proof);
        CHECK(out.kind == FailureKind::Stuck);
        CHECK(out.reason.substr(0, 3) == "b: ");
    }
    SECTION("the first comes back while the second is slow") {
        rack.devices["a"].back_on = 1;
        rack.devices["b"].relay = milliseconds(2'000);
        const FenceOutcome out = rack.authority.fence("xen1", level, rack.in(milliseconds(9'000)));
        REQUIRE(out.proof);
        CHECK(rack.devices["a"].commands.size() == 2);
        CHECK_FALSE(rack.devices["a"].power);
    }
    SECTION("one that refuses the login ends the level at once, and later commands don't leave") {
        rack.devices["a"].denies_reading = true;
        rack.devices["b"].busy = 1'000;
        const FenceOutcome out = rack.authority.fence("xen1", level, rack.in(milliseconds(9'000)));
        CHECK(out.kind == FailureKind::Login);
        CHECK(rack.clock() < milliseconds(100));
        const std::size_t sent = rack.devices["b"].commands.size();
        rack.scheduler.sleep_until(rack.scheduler.now().mono + milliseconds(20'000));
        CHECK(rack.devices["b"].commands.size() <= std::max<std::size_t>(sent, 1));
    }
    SECTION("a level that is wrong in the configuration switches nothing") {
        std::vector<FenceDevice> wrong = level;
        wrong[1].agent = "nonsense";
        FenceOutcome out = rack.authority.fence("xen1", wrong, rack.in(milliseconds(9'000)));
        CHECK(out.kind == FailureKind::Usage);
        CHECK(out.reason == "b: unknown agent nonsense");
        CHECK(rack.devices["a"].commands.empty());
        CHECK(rack.devices["a"].reads == 0);
        out = rack.authority.fence("xen1", {}, rack.in(milliseconds(9'000)));
        CHECK(out.kind == FailureKind::Usage);
        CHECK_FALSE(out.proof);
    }
}

TEST_CASE("fencing: limits of one device") {
    Rack rack;
    FenceDevice device = rack.named("bmc");
    SECTION("how long to wait for its first answer") {
        rack.bmc().silent = true;
        device.options["login_timeout"] = "2";
        rack.authority.fence("xen1", {device}, rack.in(milliseconds(20'000)));
        CHECK(rack.clock() == milliseconds(2'000));
    }
    SECTION("how long in all") {
        rack.bmc().stuck = true;
        device.options["timeout"] = "1500ms";
        const FenceOutcome out =
            rack.authority.fence("xen1", {device}, rack.in(milliseconds(20'000)));
        CHECK(out.kind == FailureKind::Stuck);
        CHECK(rack.clock() == milliseconds(1'500));
    }
    SECTION("nonsense") {
        device.options["login_timeout"] = "soon";
        const FenceOutcome out =
            rack.authority.fence("xen1", {device}, rack.in(milliseconds(20'000)));
        CHECK(out.kind == FailureKind::Usage);
        CHECK(rack.bmc().reads == 0);
    }
}

TEST_CASE("fencing: confirming sends no command") {
    Rack rack;
    const std::vector<FenceDevice> level = {rack.named("a"), rack.named("b")};
    rack.devices["a"].power = false;
    SECTION("off") {
        rack.devices["b"].power = false;
        const FenceOutcome out = rack.authority.confirm("xen1", level, rack.in(milliseconds(500)));
        REQUIRE(out.proof);
        CHECK(out.proof->evidence() == "a reads off, b reads off");
    }
    SECTION("on") {
        const FenceOutcome out = rack.authority.confirm("xen1", level, rack.in(milliseconds(500)));
        CHECK(out.kind == FailureKind::Unverified);
        CHECK(out.reason == "b: reads on");
        CHECK(rack.clock() == milliseconds(0));
    }
    SECTION("silent") {
        rack.devices["b"].silent = true;
        const FenceOutcome out = rack.authority.confirm("xen1", level, rack.in(milliseconds(500)));
        CHECK(out.kind == FailureKind::TimedOut);
        CHECK(rack.clock() <= milliseconds(500));
    }
    CHECK(rack.devices["a"].commands.empty());
    CHECK(rack.devices["b"].commands.empty());
}

TEST_CASE("fencing: reading one device") {
    Rack rack;
    const FenceDevice device = rack.named("bmc");
    const auto read = [&] { return rack.authority.read(device, rack.in(milliseconds(500))); };
    CHECK(read().state == PowerState::On);
    rack.bmc().power = false;
    CHECK(read().state == PowerState::Off);
    CHECK(read().ok());
    rack.bmc().garbage = true;
    CHECK(read().kind == FailureKind::Unverified);
    CHECK_FALSE(read().ok());
    rack.bmc().denies_reading = true;
    CHECK(read().kind == FailureKind::Login);
    CHECK(read().reason == "bmc: wrong password");
    rack.bmc().silent = true;
    CHECK(read().kind == FailureKind::TimedOut);
    CHECK(rack.bmc().commands.empty());
    CHECK(rack.authority.read({"x", "nonsense", {}, {}}, rack.in(milliseconds(500))).kind ==
          FailureKind::Usage);
}

TEST_CASE("fencing: switching on is read back too") {
    Rack rack;
    rack.bmc().power = false;
    rack.named("bmc");
    SECTION("works") {
        rack.bmc().relay = milliseconds(400);
        CHECK(rack.authority.turn_on({rack.named("bmc")}, rack.in(milliseconds(5'000))).ok());
        CHECK(rack.clock() >= milliseconds(400));
    }
    SECTION("stuck") {
        rack.bmc().stuck = true;
        const PowerOutcome out =
            rack.authority.turn_on({rack.named("bmc")}, rack.in(milliseconds(5'000)));
        CHECK(out.kind == FailureKind::Stuck);
        CHECK(out.reason.find("still reads off") != std::string::npos);
    }
}

TEST_CASE("fencing: a deadline that is over proves nothing and switches nothing") {
    Rack rack;
    rack.scheduler.sleep_until(rack.scheduler.now().mono + milliseconds(100));
    const FenceOutcome out = rack.authority.fence(
        "xen1", {rack.named("bmc")}, Deadline{rack.scheduler.now().mono - milliseconds(50)});
    CHECK_FALSE(out.proof);
    CHECK(rack.bmc().commands.empty());
}

TEST_CASE("fencing: an operator's word") {
    const ProofOfOff proof =
        FencingAuthority::operator_confirmed("xen1", "alice, 2026-11-22: pulled\nboth plugs");
    CHECK(proof.host() == "xen1");
    CHECK(proof.evidence() == "confirmed off by an operator: alice, 2026-11-22: pulled?both plugs");
}

TEST_CASE("fencing: a proof covers what its devices take away") {
    Rack rack;
    const std::vector<FenceDevice> level = {rack.named("a"), rack.named("b")};
    const auto prove = [&] {
        return rack.authority.fence("xen1", level, rack.in(milliseconds(9'000)));
    };
    SECTION("power covers everything") {
        rack.devices["b"].covers = Coverage::of_disks({"e7.1"});
        const FenceOutcome out = prove();
        REQUIRE(out.proof);
        CHECK(out.proof->coverage().is_everything());
        CHECK(out.proof->evidence() == "a reads off, b reads off (disk e7.1)");
    }
    SECTION("storage fences cover their disks together") {
        rack.devices["a"].covers = Coverage::of_disks({"e7.2"});
        rack.devices["b"].covers = Coverage::of_disks({"e7.1"});
        const FenceOutcome out = prove();
        REQUIRE(out.proof);
        CHECK(out.proof->coverage() == Coverage::of_disks({"e7.1", "e7.2"}));
    }
    SECTION("a device that covers nothing proves nothing") {
        rack.devices["a"].covers = Coverage{};
        rack.devices["b"].covers = Coverage{};
        const FenceOutcome out = prove();
        CHECK_FALSE(out.proof);
        CHECK(out.kind == FailureKind::Unverified);
    }
    SECTION("proofs of one host add up, those of another don't") {
        rack.devices["a"].covers = Coverage::of_disks({"e7.2"});
        rack.devices["b"].covers = Coverage::of_disks({"e7.1"});
        const auto in = rack.in(milliseconds(9'000));
        FenceOutcome one = rack.authority.fence("xen1", {rack.named("a")}, in);
        const FenceOutcome two = rack.authority.fence("xen1", {rack.named("b")}, in);
        const FenceOutcome other = rack.authority.fence("xen2", {rack.named("c")}, in);
        REQUIRE((one.proof && two.proof && other.proof));
        one.proof->add(*other.proof);
        CHECK(one.proof->coverage() == Coverage::of_disks({"e7.2"}));
        one.proof->add(*two.proof);
        CHECK(one.proof->coverage() == Coverage::of_disks({"e7.1", "e7.2"}));
    }
}
