// SPDX-License-Identifier: GPL-3.0-or-later
// What a host that is back may keep, and what is said of it.
#include "lib/core/readmission.hpp"

#include <catch2/catch.hpp>

#include "lib/core/inventory_text.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;

namespace {

constexpr TimePoint noon{std::chrono::hours{500'000}};

DomainView shown(const std::string& name, DomainState state, const std::string& uuid = "") {
    DomainView view;
    view.name = name;
    view.uuid = uuid.empty() ? "uuid-" + name : uuid;
    view.state = state;
    view.persistent = true;
    return view;
}

DomainRecord recorded(const std::string& name, const std::string& host) {
    DomainRecord record;
    record.name = name;
    record.uuid = "uuid-" + name;
    record.host = host;
    record.state = DomainState::Running;
    return record;
}

const DomainState on = DomainState::Running, off = DomainState::ShutOff;

/// What is shown on hosts a (which is back), b and c; web1 was recovered from a.
struct Case {
    std::string what;
    std::vector<DomainView> a{}, b{}, c{};
    std::string recorded_on = "b";
    bool b_answers = true;
    bool a_answers = true;
    std::string unseen{};
    std::size_t twice = 0, astray = 0, stale = 0, notes = 0;
};

ReturnFindings judge(const Case& given) {
    const Inventory inventory =
        parse_inventory("host a\nhost b\nhost c\ndomain web1\ndomain other\n");
    ClusterRecord record;
    record.domains = {recorded("web1", given.recorded_on), recorded("other", "c")};
    std::map<std::string, HostReading> readings;
    const auto add = [&](const std::string& host, const std::vector<DomainView>& domains,
                         bool answers) {
        HostView view;
        view.domains = domains;
        readings[host] = answers ? HostReading{view, {}} : HostReading{std::nullopt, "no answer"};
    };
    add("a", given.a, given.a_answers);
    add("b", given.b, given.b_answers);
    add("c", given.c, true);
    return judge_return({inventory, record, "a", {"web1"}}, readings);
}

}  // namespace

TEST_CASE("a host that is back is held against the record and the other hosts", "[return]") {
    const Case cases[] = {
        {.what = "nothing is left on it", .b = {shown("web1", on)}},
        {.what = "its definition is stale",
         .a = {shown("web1", off)},
         .b = {shown("web1", on)},
         .stale = 1},
        {.what = "crashed here counts as off",
         .a = {shown("web1", DomainState::Crashed)},
         .b = {shown("web1", on)},
         .stale = 1},
        {.what = "defined elsewhere is enough",
         .a = {shown("web1", off)},
         .b = {shown("web1", off)},
         .stale = 1},
        {.what = "elsewhere than recorded is enough",
         .a = {shown("web1", off)},
         .c = {shown("web1", on)},
         .stale = 1},
        {.what = "nobody else knows it", .a = {shown("web1", off)}, .notes = 1},
        {.what = "another domain of that name is no proof",
         .a = {shown("web1", off)},
         .b = {shown("web1", on, "uuid-x")},
         .notes = 1},
        {.what = "recorded here: it was never recovered",
         .a = {shown("web1", off)},
         .b = {shown("web1", on)},
         .recorded_on = "a"},
        {.what = "one that was never recovered stays, wherever it is",
         .a = {shown("other", off)},
         .c = {shown("other", on)}},
        {.what = "its new host is silent",
         .a = {shown("web1", off)},
         .b_answers = false,
         .notes = 1},
        {.what = "active on both", .a = {shown("web1", on)}, .b = {shown("web1", on)}, .twice = 1},
        {.what = "paused counts as active",
         .a = {shown("web1", DomainState::Paused)},
         .b = {shown("web1", on)},
         .twice = 1},
        {.what = "not to know is no licence",
         .a = {shown("web1", DomainState::Unknown)},
         .b = {shown("web1", on)},
         .twice = 1},
        {.what = "the same by its UUID alone",
         .a = {shown("renamed", on, "uuid-web1")},
         .b = {shown("web1", on)},
         .twice = 1},
        {.what = "strangers may run twice no more than others",
         .a = {shown("stranger", on)},
         .c = {shown("stranger", on)},
         .twice = 1},
        {.what = "active here, off where it was recorded",
         .a = {shown("web1", on)},
         .b = {shown("web1", off)},
         .astray = 1},
        {.what = "active here, and its recorded host is silent",
         .a = {shown("web1", on)},
         .b_answers = false,
         .unseen = "web1 is active on a, and b, where it was last recorded, does not answer"},
        {.what = "active here as recorded", .a = {shown("web1", on)}, .recorded_on = "a"},
        {.what = "a stranger", .a = {shown("stranger", on)}},
        {.what = "silent", .a_answers = false, .unseen = "a does not answer: no answer"},
    };
    for (const Case& given : cases) {
        CAPTURE(given.what);
        const ReturnFindings found = judge(given);
        CHECK(found.unseen == given.unseen);
        CHECK(found.twice.size() == given.twice);
        CHECK(found.astray.size() == given.astray);
        CHECK(found.stale.size() == given.stale);
        CHECK(found.notes.size() == given.notes);
        for (const Refusal& refusal : found.twice) CHECK(refusal.kind == RefusalKind::RunsTwice);
    }
}

TEST_CASE("only fences of disks are undone", "[return]") {
    const Inventory inventory = parse_inventory(
        "host a fence=bmc/aoe/aoe,port\nhost b fence=bmc-b\n"
        "device bmc agent=fence_ipmi\ndevice bmc-b agent=fence_ipmi\n"
        "device aoe agent=fence_aoe disks=e7.1\n"
        "device port agent=fence_pdu family=ifmib disks=e7.1\n");
    CHECK(storage_fences(inventory, "a") == std::vector<std::string>{"aoe", "port"});
    CHECK(storage_fences(inventory, "b").empty());
    CHECK(storage_fences(inventory, "no-such").empty());
}

TEST_CASE("the journal keeps fenced hosts until they were looked at", "[return][journal]") {
    const test::Scratch scratch;
    const auto mark = [&] {
        const auto marks = SqliteJournal(scratch.path("")).maintenance();
        REQUIRE(marks.size() == 1);
        return marks.front();
    };
    const auto commit = [&](const JournalBatch& batch) {
        SqliteJournal(scratch.path("")).commit(batch);
    };
    JournalBatch batch;
    batch.fenced = {{"a", 7, noon, {"web1", "db1"}}};
    commit(batch);
    CHECK(mark().fenced);
    CHECK(mark().phase == MaintenancePhase::Held);
    CHECK(mark().who == marked_by_itself);
    CHECK(mark().domains == std::vector<std::string>{"db1", "web1"});

    SECTION("it is taken in again by an order that follows from an event") {
        batch = {};
        batch.returns = {{"a", true}, {"b", true}};
        commit(batch);
        CHECK(mark().phase == MaintenancePhase::Returning);
        CHECK(mark().stay);
        MarkChange change{"a", false,   MaintenancePhase::Returning, MaintenancePhase::Returning,
                          8,   {"web1"}};
        change.taken_in = true;
        batch = {};
        batch.marks = {change};
        commit(batch);
        CHECK_FALSE(mark().fenced);
        CHECK(mark().domains == std::vector<std::string>{"web1"});
    }
    SECTION("an operator's order leaves it fenced, and is not overruled by an event") {
        Maintenance order;
        order.host = "a";
        order.phase = MaintenancePhase::Evacuating;
        SqliteJournal(scratch.path("")).order_maintenance(order);
        CHECK(mark().fenced);
        CHECK(mark().domains.size() == 2);
        batch = {};
        batch.returns = {{"a", true}};
        commit(batch);
        CHECK(mark().phase == MaintenancePhase::Evacuating);
    }
    SECTION("a host that somebody holds learns of it, and stays his") {
        Maintenance order;
        order.host = "b";
        order.phase = MaintenancePhase::Held;
        order.who = "alice";
        order.since = noon - std::chrono::hours{1};
        SqliteJournal(scratch.path("")).order_maintenance(order);
        batch = {};
        batch.fenced = {{"b", 9, noon, {}}};
        commit(batch);
        const auto marks = SqliteJournal(scratch.path("")).maintenance();
        REQUIRE(marks.size() == 2);
        CHECK(marks.front().host == "b");
        CHECK(marks.front().fenced);
        CHECK(marks.front().who == "alice");
    }
    SECTION("a held host that was never fenced is not returned by an event") {
        MarkChange change{"a", false, MaintenancePhase::Held, MaintenancePhase::Held, 8, {}};
        change.taken_in = true;
        batch = {};
        batch.marks = {change};
        commit(batch);
        batch = {};
        batch.returns = {{"a", false}};
        commit(batch);
        CHECK(mark().phase == MaintenancePhase::Held);
    }
}

TEST_CASE("the journal says when hosts were fenced and the monitor started", "[return][journal]") {
    const test::Scratch scratch;
    SqliteJournal journal(scratch.path(""));
    JournalBatch batch;
    for (const IncidentId id : {1, 2}) {
        Incident incident;
        incident.id = id;
        incident.host = "a";
        incident.opened = noon;
        batch.opened.push_back(incident);
    }
    const auto entry = [](IncidentId id, EntryKind kind, StepKind step, int minute) {
        return JournalEntry{id, noon + std::chrono::minutes{minute}, kind, step, "a", {}, {}, true,
                            "x"};
    };
    batch.entries = {entry(1, EntryKind::Intent, StepKind::Fence, 0),
                     entry(1, EntryKind::Outcome, StepKind::Fence, 1),
                     entry(2, EntryKind::Intent, StepKind::Start, 2),
                     entry(2, EntryKind::Intent, StepKind::Fence, 3),
                     entry(0, EntryKind::Intent, StepKind::Fence, 4)};
    journal.commit(batch);
    REQUIRE(journal.fences_since(noon).size() == 2);
    CHECK(journal.fences_since(noon).back().incident == 2);
    CHECK(journal.fences_since(noon + std::chrono::minutes{1}).size() == 1);

    CHECK_FALSE(journal.monitor_since());
    HostEvent event;
    event.host = "a";
    journal.push_event(event, noon);
    CHECK_FALSE(journal.monitor_since());
    event.monitor_since = noon;
    journal.push_event(event, noon);
    event.monitor_since = noon + std::chrono::seconds{5};
    journal.push_event(event, noon);
    CHECK(journal.monitor_since() == noon + std::chrono::seconds{5});

    journal.keep_definition({1, "a", "web1", noon, "<domain>\n</domain>\n"});
    REQUIRE(journal.kept_definitions(1).size() == 1);
    CHECK(journal.kept_definitions(1).front().xml == "<domain>\n</domain>\n");
    CHECK(journal.kept_definitions(2).empty());
}

TEST_CASE("the seat is a file that is there", "[seat]") {
    const test::Scratch scratch;
    CHECK(SeatFile("").objection().empty());
    SeatFile seat(scratch.path("seat"));
    CHECK(seat.objection().find("does not have the seat") != std::string::npos);
    scratch.write("seat", "");
    CHECK(seat.objection().empty());
    CHECK_FALSE(SeatFile(scratch.path("")).objection().empty());             // a folder
    CHECK_FALSE(SeatFile(scratch.path("seat") + "/x").objection().empty());  // below a file
}
