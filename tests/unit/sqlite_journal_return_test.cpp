// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>
#include <chrono>

#include "lib/io/sqlite_journal.hpp"
#include "tests/unit/journal_samples.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

const TimePoint noon{std::chrono::seconds(1'800'000'000)};

JournalBatch fencing(IncidentId id, const std::string& host, const Names& domains, TimePoint at) {
    JournalBatch batch;
    Incident incident;
    incident.id = id;
    incident.host = host;
    incident.opened = at;
    batch.opened.push_back(incident);
    batch.entries.push_back(
        {id, at, EntryKind::Intent, StepKind::Fence, host, {}, {}, true, "fence it"});
    batch.fenced.push_back({host, id, at, domains});
    return batch;
}

JournalBatch returning(const std::string& host, bool stay) {
    JournalBatch batch;
    batch.returns.push_back({host, stay});
    return batch;
}

}  // namespace

TEST_CASE("a fenced host is marked in the batch that fences it, and knows what left it") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    {
        SqliteJournal journal(folder);
        journal.commit(fencing(1, "xen1", {"web1", "db1"}, noon));
    }
    SqliteJournal journal(folder);
    const auto marks = journal.maintenance();
    REQUIRE(marks.size() == 1);
    CHECK(marks[0].host == "xen1");
    CHECK(marks[0].fenced);
    CHECK(marks[0].phase == MaintenancePhase::Held);
    CHECK(marks[0].who == marked_by_itself);
    CHECK(marks[0].since == noon);
    CHECK(marks[0].domains == Names{"db1", "web1"});
}

TEST_CASE("a host in maintenance that is fenced stays its operator's, and loses nobody") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    Maintenance order;
    order.host = "xen1";
    order.phase = MaintenancePhase::Evacuating;
    order.who = "alice";
    journal.order_maintenance(order);
    JournalBatch moved;
    moved.marks.push_back({"xen1", false, MaintenancePhase::Evacuating,
                           MaintenancePhase::Evacuating, 0, Names{"web1"}});
    journal.commit(moved);
    journal.commit(fencing(1, "xen1", {"db1"}, noon));
    REQUIRE(journal.maintenance().size() == 1);
    CHECK(journal.maintenance()[0].fenced);
    CHECK(journal.maintenance()[0].who == "alice");
    CHECK(journal.maintenance()[0].phase == MaintenancePhase::Evacuating);
    CHECK(journal.maintenance()[0].domains == Names{"db1", "web1"});
    // A return that follows from a report does not overrule an order of a person.
    journal.commit(returning("xen1", false));
    CHECK(journal.maintenance()[0].phase == MaintenancePhase::Evacuating);
}

TEST_CASE("a return is ordered of a fenced and held host alone, and ends its mark when it counts") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    Maintenance order;
    order.host = "xen2";
    order.phase = MaintenancePhase::Held;
    journal.order_maintenance(order);
    journal.commit(fencing(1, "xen1", {"web1"}, noon));
    journal.commit(returning("xen2", true));
    journal.commit(returning("xen3", true));
    journal.commit(returning("xen1", true));
    for (const Maintenance& mark : journal.maintenance()) {
        CAPTURE(mark.host);
        CHECK(mark.host != "xen3");
        CHECK(mark.phase ==
              (mark.host == "xen1" ? MaintenancePhase::Returning : MaintenancePhase::Held));
        CHECK(mark.stay == (mark.host == "xen1"));
    }
    JournalBatch trusted;
    trusted.marks.push_back({"xen1", false, MaintenancePhase::Returning,
                             MaintenancePhase::Returning, 1, Names{"web1"}, true});
    journal.commit(trusted);
    for (const Maintenance& mark : journal.maintenance()) CHECK_FALSE(mark.fenced);
}

TEST_CASE("fences are found since a time, with their incidents") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    journal.commit(fencing(1, "xen1", {}, noon));
    journal.commit(fencing(2, "xen2", {}, noon + 30min));
    journal.append({entry(2, "no fence"), entry(0, "loose")});
    CHECK(journal.fences_since(noon).size() == 2);
    const auto found = journal.fences_since(noon + 1s);
    REQUIRE(found.size() == 1);
    CHECK(found[0].incident == 2);
    CHECK(found[0].host == "xen2");
    CHECK(found[0].at == noon + 30min);
    CHECK(journal.fences_since(noon + 31min).empty());
}

TEST_CASE("the monitor's start is what it said last") {
    const Scratch scratch;
    SqliteJournal journal(scratch.path("state"));
    HostEvent event;
    event.host = "xen1";
    event.state = HostState::Down;
    journal.push_event(event, noon);
    CHECK_FALSE(journal.monitor_since());
    event.monitor_since = noon - 1h;
    journal.push_event(event, noon);
    event.monitor_since = noon - 1min;
    journal.push_event(event, noon);
    CHECK(journal.monitor_since() == noon - 1min);
    event.monitor_since.reset();
    journal.push_event(event, noon);
    CHECK(journal.monitor_since() == noon - 1min);
}

TEST_CASE("definitions that were taken away are kept, each time") {
    const Scratch scratch;
    const std::string folder = scratch.path("state");
    {
        SqliteJournal journal(folder);
        journal.commit(opening(1));
        journal.keep_definition({1, "xen1", "web1", noon, "<domain>one</domain>"});
        journal.keep_definition({1, "xen1", "web1", noon + 1s, "<domain>two</domain>"});
    }
    SqliteJournal journal(folder);
    const auto kept = journal.kept_definitions(1);
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].xml == "<domain>one</domain>");
    CHECK(kept[1].host == "xen1");
    CHECK(kept[1].domain == "web1");
    CHECK(kept[1].at == noon + 1s);
    CHECK(journal.kept_definitions(2).empty());
}
