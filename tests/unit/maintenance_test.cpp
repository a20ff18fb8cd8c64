// SPDX-License-Identifier: GPL-3.0-or-later
// What the scenarios don't show: the meaning of two ends, plans, and the forms read and written.
#include "lib/core/maintenance.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "lib/core/domain_xml.hpp"
#include "lib/core/error.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/io/nagios_commands.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;

namespace {

constexpr auto all_sides = {SideState::Unreachable, SideState::Absent, SideState::Active,
                            SideState::Busy, SideState::Half};

MoveFacts facts(const std::string& host, const std::string& name, int gib) {
    MoveFacts facts;
    facts.host = host;
    facts.view.name = name;
    facts.view.uuid = "uuid-" + name;
    facts.view.state = DomainState::Running;
    facts.view.memory = facts.view.memory_max = gibibytes(gib);
    return facts;
}

struct Cluster {
    Inventory inventory = parse_inventory(
        "host a memory=8GiB\nhost b memory=8GiB\nhost c memory=8GiB\n"
        "domain big priority=5\ndomain small priority=5\ndomain important priority=9\n"
        "domain pv move=paused\n");
    Survey survey;

    Cluster() {
        for (const char* host : {"a", "b", "c"}) {
            HostView view;
            view.hypervisor = "QEMU 7.2";
            view.memory_total = gibibytes(16);
            survey.hosts[host] = {view, {}};
        }
        add("big", 4);
        add("small", 1);
        add("important", 1);
    }
    void add(const std::string& name, int gib) { survey.domains[name] = facts("a", name, gib); }
    MaintenancePlan plan() const {
        return plan_moves({inventory, "a", MaintenancePhase::Evacuating, {}, {}, {}}, survey);
    }
};

}  // namespace

TEST_CASE("the two ends of a move: what must never be concluded") {
    for (const SideState from : all_sides)
        for (const SideState to : all_sides)
            for (const bool from_off : {false, true})
                for (const bool to_off : {false, true}) {
                    CAPTURE(side_state_name(from), side_state_name(to), from_off, to_off);
                    const SidesVerdict verdict = judge_sides(from, to, from_off, to_off);
                    // What may run at the target never goes on at the source.
                    if (verdict == SidesVerdict::ResumeSource) {
                        CHECK(from == SideState::Half);
                        CHECK(to == SideState::Absent);
                        CHECK_FALSE(to_off);
                    }
                    // The source's copy is destroyed only for one that runs, or ran, at the target.
                    if (verdict == SidesVerdict::CleanSource)
                        CHECK((to == SideState::Active || to == SideState::Busy || to_off));
                    // The target's copy is destroyed only while the source has it or is dead.
                    if (verdict == SidesVerdict::CleanTarget) {
                        CHECK(to == SideState::Half);
                        CHECK((from_off || from == SideState::Active || from == SideState::Half));
                    }
                    // Nobody calls it gone on the word of a host that does not answer.
                    if (verdict == SidesVerdict::Nowhere) {
                        CHECK((from == SideState::Absent || from_off));
                        CHECK((to == SideState::Absent || to_off));
                    }
                    if (!from_off && !to_off && from == SideState::Active &&
                        to == SideState::Active)
                        CHECK(verdict == SidesVerdict::Twice);
                }
}

TEST_CASE("a move that ended is found wherever it is") {
    struct Row {
        SideState from, to;
        SidesVerdict verdict;
    };
    const Row row = GENERATE(values<Row>({
        {SideState::Active, SideState::Absent, SidesVerdict::AtSource},
        {SideState::Active, SideState::Unreachable, SidesVerdict::AtSource},
        {SideState::Active, SideState::Half, SidesVerdict::CleanTarget},
        {SideState::Busy, SideState::Half, SidesVerdict::AbortAtSource},
        {SideState::Half, SideState::Active, SidesVerdict::CleanSource},
        {SideState::Half, SideState::Half, SidesVerdict::CleanTarget},
        {SideState::Half, SideState::Absent, SidesVerdict::ResumeSource},
        {SideState::Half, SideState::Unreachable, SidesVerdict::Wait},
        {SideState::Absent, SideState::Active, SidesVerdict::AtTarget},
        {SideState::Absent, SideState::Half, SidesVerdict::Wait},
        {SideState::Absent, SideState::Absent, SidesVerdict::Nowhere},
        {SideState::Absent, SideState::Unreachable, SidesVerdict::TakenAtTarget},
        {SideState::Unreachable, SideState::Active, SidesVerdict::AtTarget},
        {SideState::Unreachable, SideState::Half, SidesVerdict::Wait},
        {SideState::Unreachable, SideState::Unreachable, SidesVerdict::Wait},
    }));
    CAPTURE(side_state_name(row.from), side_state_name(row.to));
    CHECK(judge_sides(row.from, row.to, false, false) == row.verdict);
}

TEST_CASE(
    "a migration that libvirt says it ended, and that goes on, is asked about once a second") {
    // Seen of libvirt 9.0: QEMU has cancelled it, and its job never ends.
    const Inventory inventory = parse_inventory("host a\nhost b\ndomain web\n");
    MaintenanceSituation situation;
    MaintenanceCase work;
    work.id = 1;
    work.host = "a";
    work.stage = CaseStage::Moving;
    work.stopping = true;
    MoveCase move;
    move.record.name = "web";
    move.from = "a";
    move.to = "b";
    move.phase = MovePhase::Unsure;
    move.cancelled = true;
    move.busy = true;
    move.since = Instant{Duration{10'000}};
    work.moves["web"] = move;
    situation.active = work;
    const ClusterRecord record;
    Now now{Instant{Duration{10'000}}, TimePoint{Duration{10'000}}};
    std::size_t aborts = 0;
    std::size_t entries = 0;
    const auto feed = [&](const MaintenanceEvent& event) {
        const MaintenanceContext context{inventory, record, {}, {}, {}, Arming{}, 2, now};
        const MaintenanceStep step = advance_maintenance(situation, event, context);
        entries += step.entries.size();
        return step.actions;
    };
    std::vector<MaintenanceAction> actions =
        feed(SidesRead{"web", SideState::Busy, SideState::Absent});
    for (int i = 0; i < 6'000; ++i) {  // a minute, each answer after 5 ms
        now.mono += Duration{5};
        now.wall += Duration{5};
        MaintenanceEvent event = MaintenanceTick{};
        for (const MaintenanceAction& action : actions) {
            if (std::holds_alternative<LookAtSides>(action))
                event = SidesRead{"web", SideState::Busy, SideState::Absent};
            if (std::holds_alternative<CleanUpSide>(action)) {
                ++aborts;
                event = CleanedUp{"web", CleanUp::Abort, true, "on a: done"};
            }
        }
        actions = feed(event);
    }
    CHECK(aborts >= 25);
    CHECK(aborts <= 35);
    CHECK(entries <= 12);
}

TEST_CASE("the safest moves come first") {
    Cluster cluster;
    cluster.add("pv", 1);
    cluster.survey.domains["pv"].can_live = false;
    const MaintenancePlan plan = cluster.plan();
    std::vector<std::string> order;
    for (const PlannedMove& move : plan.moves) order.push_back(move.domain);
    CHECK(order == std::vector<std::string>{"small", "big", "important", "pv"});
    CHECK(plan.refusals.empty());
}

TEST_CASE("what a domain on several hosts, a blind target and a short one are refused for") {
    Cluster cluster;
    SECTION("twice") {
        cluster.survey.twice["big"] = "a and b";
        cluster.survey.domains.erase("big");
        CHECK(cluster.plan().refusals.at(0).kind == RefusalKind::RunsTwice);
    }
    SECTION("a disk that nobody was asked about is not seen") {
        cluster.survey.domains["big"].devices = {"/dev/etherd/e1.1"};
        cluster.survey.sights["b"]["/dev/etherd/e1.1"] = {Sight::Unseen, "no such device"};
        const MaintenancePlan plan = cluster.plan();
        REQUIRE(plan.refusals.size() == 1);
        CHECK(plan.refusals[0].kind == RefusalKind::DeviceUnseen);
        CHECK(plan.refusals[0].text ==
              "b does not see /dev/etherd/e1.1 (no such device); c can't say if it sees "
              "/dev/etherd/e1.1");
    }
    SECTION("on Xen the free memory counts, with what the hypervisor needs beside") {
        for (const char* host : {"b", "c"}) {
            cluster.survey.hosts[host].view->hypervisor = "Xen 4.17.0";
            cluster.survey.hosts[host].view->memory_free = gibibytes(4);
        }
        CHECK(cluster.plan().refusals.empty());
        cluster.survey.domains["big"].overhead = mebibytes(40);
        const MaintenancePlan plan = cluster.plan();
        REQUIRE(plan.refusals.size() == 1);
        CHECK(plan.refusals[0].kind == RefusalKind::NotEnoughMemory);
        CHECK(plan.refusals[0].need == gibibytes(4) + mebibytes(40));
    }
    SECTION("hosts in maintenance get nothing") {
        const MaintenancePlan plan =
            plan_moves({cluster.inventory, "a", MaintenancePhase::Evacuating, {"b", "c"}, {}, {}},
                       cluster.survey);
        CHECK(plan.moves.empty());
        CHECK(plan.refusals.size() == 3);
    }
    SECTION("memory on its way elsewhere is taken") {
        const MaintenancePlan plan = plan_moves({cluster.inventory,
                                                 "a",
                                                 MaintenancePhase::Evacuating,
                                                 {"b"},
                                                 {},
                                                 {{"other", {"b", "c", gibibytes(7)}}}},
                                                cluster.survey);
        CHECK(plan.refusals.size() == 2);
    }
}

TEST_CASE("an evacuation keeps to the rules of placement") {
    Cluster cluster;
    const auto target = [](const MaintenancePlan& plan, const std::string& domain) {
        for (const PlannedMove& move : plan.moves)
            if (move.domain == domain) return move.to;
        for (const Refusal& refusal : plan.refusals)
            if (refusal.domain == domain) return std::string(refusal_kind_name(refusal.kind));
        return std::string();
    };
    std::vector<Domain>& domains = cluster.inventory.domains;
    SECTION("together, beside the one that stays") {
        domains[0].together = domains[1].together = {"t"};
        Domain other = domains[2];
        other.name = "other";
        other.together = {"t"};
        domains.push_back(other);
        DomainView there;
        there.name = "other";
        there.state = DomainState::Running;
        cluster.survey.hosts["c"].view->domains = {there};
        const MaintenancePlan plan = cluster.plan();
        CHECK(target(plan, "big") == "c");
        CHECK(target(plan, "small") == "c");
    }
    SECTION("virtual CPUs, also of what is on its way") {
        cluster.inventory.hosts[1].vcpus = 3;
        cluster.inventory.hosts[2].vcpus = 2;
        cluster.survey.domains["big"].view.vcpus = 3;
        CHECK(target(cluster.plan(), "big") == "b");
        ClusterRecord record;
        DomainRecord moving;
        moving.name = "pv";
        moving.vcpus = 1;
        record.domains.push_back(moving);
        MaintenanceQuestion question{
            cluster.inventory, "a", MaintenancePhase::Evacuating, {}, {}, {}};
        question.moving = {{"pv", {"c", "b", gibibytes(1)}}};
        question.record = &record;
        CHECK(target(plan_moves(question, cluster.survey), "big") == "not-enough-cpus");
    }
    SECTION("what a host must offer, by the cluster file and by the definition") {
        domains[1].needs = {"gpu"};
        cluster.inventory.hosts[2].offers = {"gpu"};
        ClusterRecord record;
        for (const char* host : {"b", "c"}) {
            HostRecord read;
            read.host = host;
            read.offers = {"network:"};
            record.hosts.push_back(read);
        }
        record.hosts[0].offers.insert("network:lan");
        DomainRecord recorded;
        recorded.name = "big";
        recorded.xml =
            "<domain><devices><interface type='network'><source network='lan'/></interface>"
            "</devices></domain>";
        record.domains.push_back(recorded);
        MaintenanceQuestion question{
            cluster.inventory, "a", MaintenancePhase::Evacuating, {}, {}, {}};
        question.record = &record;
        const MaintenancePlan plan = plan_moves(question, cluster.survey);
        CHECK(target(plan, "small") == "c");
        CHECK(target(plan, "big") == "b");
    }
    SECTION("what would be left for one more loss") {
        domains[0].apart = domains[1].apart = {"x"};
        const MaintenancePlan plan = cluster.plan();
        CHECK(plan.refusals.empty());
        REQUIRE_FALSE(plan.gaps.empty());
        CHECK(plan.gaps[0].first_refused()->kind == RefusalKind::Apart);
    }
}

TEST_CASE("definitions: what a move must know") {
    const DomainShape shape = parse_domain_shape(R"(<?xml version='1.0'?>
<!-- <disk><source dev='/dev/no'/></disk> -->
<domain type='xen' id='4'><name>a &lt; b</name><vcpu placement='static'>2</vcpu>
<os><type arch='x86_64' machine='xenpvh'>xenpvh</type></os>
<devices><disk type='block' device='disk'><source dev='/dev/etherd/e1.1' index='1'/>
<backingStore type='block'><source dev='/dev/deeper'/></backingStore><target dev='xvda'/></disk>
<disk type='file'><source file="/a'b>c.img"/></disk><disk type='network'><source name='x'/></disk>
<hostdev mode='subsystem'/><hostdev mode='subsystem'></hostdev></devices></domain>)");
    CHECK(shape.driver == "xen");
    CHECK(shape.os_type == "xenpvh");
    CHECK(shape.vcpus == 2);
    CHECK(shape.devices == std::vector<std::string>{"/dev/etherd/e1.1"});
    CHECK(shape.files == std::vector<std::string>{"/a'b>c.img"});
    CHECK(shape.passed_through == 2);
    for (const char* broken : {"", "no xml", "<domain>", "<domain", "<domain></other>",
                               "<domain type='x></domain>", "<!-- <domain/>", "<host/>"}) {
        CAPTURE(broken);
        CHECK_THROWS_AS(parse_domain_shape(broken), ProtocolError);
    }
    CHECK_THROWS_AS(parse_domain_shape("<domain>" + std::string(5'000'000, ' ')), ProtocolError);
}

TEST_CASE("device names that are the same everywhere") {
    for (const char* stable :
         {"/dev/etherd/e1.1", "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-x-lun-1", "/dev/vg0/web1",
          "/dev/mapper/vg0-web1", "/dev/drbd3"})
        CHECK(is_stable_device(stable));
    for (const char* other : {"/dev/sda", "/dev/sdb1", "/dev/nvme0n1", "/dev/loop0", "/dev/dm-3"})
        CHECK_FALSE(is_stable_device(other));
}

TEST_CASE("downtimes: what could end a field or a line does not") {
    const TimePoint now{std::chrono::seconds{1'000'000}};
    const std::string lines =
        downtime_begins("xen1", now, std::chrono::hours{2}, "bob;x", "a\n[1] SHUTDOWN_PROGRAM;b");
    CHECK(lines ==
          "[1000000] SCHEDULE_HOST_DOWNTIME;xen1;1000000;1007200;1;0;7200;bob,x;"
          "a?[1] SHUTDOWN_PROGRAM,b\n"
          "[1000000] SCHEDULE_HOST_SVC_DOWNTIME;xen1;1000000;1007200;1;0;7200;bob,x;"
          "a?[1] SHUTDOWN_PROGRAM,b\n");
    CHECK(downtime_ends("xen1", now) == "[1000000] DEL_DOWNTIME_BY_HOST_NAME;xen1\n");
}

TEST_CASE("downtimes: a command file that nobody reads holds nobody up") {
    const test::Scratch scratch;
    const std::string fifo = scratch.path("nagios.cmd");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    const auto begin = [](const std::string& path) {
        return NagiosCommands(path).begin("a", TimePoint{}, Duration{1000}, "me", "text");
    };
    CHECK_THROWS_AS(begin(fifo), SystemError);
    CHECK_THROWS_AS(begin(scratch.path("nothing")), SystemError);
    CHECK_THROWS_AS(begin(scratch.write("file", "x")), SystemError);
    CHECK(begin("").empty());
}

TEST_CASE("marks outlive the journal's closing, and a newer order wins over the worker") {
    const test::Scratch scratch;
    Maintenance order;
    order.host = "xen1";
    order.who = "alice";
    order.reason = "kernel";
    order.partial = true;
    order.since = TimePoint{std::chrono::seconds{5}};
    {
        SqliteJournal journal(scratch.path("state"));
        CHECK(journal.maintenance().empty());
        journal.order_maintenance(order);
        JournalBatch batch;
        batch.marks.push_back({"xen1",
                               false,
                               MaintenancePhase::Evacuating,
                               MaintenancePhase::Evacuating,
                               7,
                               {"web2", "web1"}});
        journal.commit(batch);
    }
    SqliteJournal journal(scratch.path("state"));
    REQUIRE(journal.maintenance().size() == 1);
    Maintenance mark = journal.maintenance()[0];
    CHECK(mark.partial);
    CHECK(mark.who == "alice");
    CHECK(mark.incident == 7);
    CHECK(mark.since == order.since);
    CHECK(mark.domains == std::vector<std::string>{"web1", "web2"});

    SECTION("an order to stop is fulfilled when the work rests") {
        mark.stop = true;
        journal.order_maintenance(mark);
        CHECK(journal.maintenance()[0].stop);
        JournalBatch batch;
        batch.marks.push_back(
            {"xen1", false, MaintenancePhase::Evacuating, MaintenancePhase::Held, 7, {"web1"}});
        journal.commit(batch);
        mark = journal.maintenance()[0];
        CHECK_FALSE(mark.stop);
        CHECK(mark.phase == MaintenancePhase::Held);
        CHECK(mark.domains == std::vector<std::string>{"web1"});
    }
    SECTION("somebody orders the return while the evacuation is being closed") {
        order.phase = MaintenancePhase::Returning;
        journal.order_maintenance(order);
        JournalBatch batch;
        batch.marks.push_back(
            {"xen1", true, MaintenancePhase::Evacuating, MaintenancePhase::Held, 7, {"web1"}});
        journal.commit(batch);
        REQUIRE(journal.maintenance().size() == 1);
        CHECK(journal.maintenance()[0].phase == MaintenancePhase::Returning);
        CHECK(journal.maintenance()[0].domains.size() == 1);
    }
    SECTION("the end") {
        JournalBatch batch;
        batch.marks.push_back(
            {"xen1", true, MaintenancePhase::Evacuating, MaintenancePhase::Held, 7, {}});
        journal.commit(batch);
        CHECK(journal.maintenance().empty());
    }
}

TEST_CASE("progress is shown as long as the move is under way") {
    const test::Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    MoveProgress move;
    move.domain = "web1";
    move.host = "a";
    move.target = "b";
    move.done = mebibytes(3);
    move.time_left = Duration{1500};
    journal.write_progress(move);
    move.done = mebibytes(4);
    journal.write_progress(move);
    REQUIRE(journal.progress().size() == 1);
    CHECK(journal.progress()[0].done == mebibytes(4));
    CHECK(journal.progress()[0].time_left == Duration{1500});
    CHECK_FALSE(journal.progress()[0].downtime);
    journal.end_progress("web1");
    CHECK(journal.progress().empty());
}
