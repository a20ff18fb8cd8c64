// SPDX-License-Identifier: GPL-3.0-or-later
// What the scenarios don't show of the care of domains: its tables, and what it refuses to look at.
#include "lib/core/domain_care.hpp"

#include <catch2/catch.hpp>

#include "lib/app/off_witness.hpp"
#include "lib/core/domain_ailment.hpp"
#include "lib/core/error.hpp"
#include "lib/core/inventory_text.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

DomainView shown(DomainState state, const std::string& reason) {
    DomainView view;
    view.name = "web1";
    view.state = state;
    view.reason = reason;
    return view;
}

/// A host that answers what it is told to, and counts what is asked of it.
class OneHost : public Hypervisor {
  public:
    HostView read_host(Deadline) override { return {}; }
    DomainDefinition read_definition(const std::string&, Deadline) override { return {}; }
    void start_elsewhere(const DomainRecord&, const ProofOfOff&, Deadline) override {}
    void stop(const DomainRecord&, Deadline) override {}
    void forget(const DomainRecord&, const std::function<void(const std::string&)>&,
                Deadline) override {}
    void start_again(const DomainRecord&, Deadline) override {}
    void resume(const DomainRecord&, Deadline) override {}
    bool ask_agent(const DomainRecord&, Deadline) override { return false; }
    void keep_off(const DomainRecord&, Deadline) override {
        calls += "k";
        if (keep_off_fails) throw Denied("read-only connection");
        if (reading.autostart) reading.autostart = false;
    }
    OffReading read_off(const DomainRecord&, Deadline) override {
        calls += "r";
        if (read_fails) throw TimedOut("no answer in time");
        return reading;
    }
    void start_over(const DomainRecord&, const ProofOfShutOff&, Deadline) override {}

    OffReading reading;
    bool keep_off_fails = false;
    bool read_fails = false;
    std::string calls;
};

struct Setting {
    Inventory inventory = parse_inventory(R"(policy witnesses=w1
host a memory=8GiB reserve=1GiB fence=bmc-a
host b memory=8GiB reserve=1GiB fence=bmc-b
device bmc-a agent=fence_ipmi
device bmc-b agent=fence_ipmi
domain web1
domain web2 restart=never
domain web3 expect=off
)");
    ClusterRecord record;
    Arming arming;
    Now now{Instant{10h}, TimePoint{1000h}};
    std::vector<DomainHold> holds;
    std::vector<Maintenance> marks;
    std::map<std::string, IncidentId> recovering, recovered;
    std::map<std::string, Moving> moving;

    Setting() {
        arming.armed = true;
        for (const char* name : {"web1", "web2", "web3"})
            record.domains.push_back({name, std::string("uuid-") + name, "a", DomainState::Running,
                                      gibibytes(2), 1, true, now.wall - 10s, "<domain/>"});
    }
    CareContext context() const {
        return {inventory, record, marks, holds, recovering, recovered, moving, arming, 7, now, {}};
    }
    CareStep report(const std::string& domain, StateType type = StateType::Hard,
                    HostState state = HostState::DomainFailed) {
        HostEvent event;
        event.domain = domain;
        event.state = state;
        event.type = type;
        event.source = "monitor";
        return advance_care(situation, DomainReported{event}, context());
    }
    CareSituation situation;
};

/// What became of a report: the reason for which nothing is done, or "looks".
std::string outcome(const CareStep& step) {
    for (const JournalEntry& entry : step.entries)
        if (entry.kind == EntryKind::Refusal) return entry.text;
    return step.actions.size() == 1 && std::holds_alternative<LookAround>(step.actions[0])
               ? "looks"
               : "does something else";
}

}  // namespace

TEST_CASE("what is the matter with a domain") {
    struct Row {
        DomainState state;
        const char* reason;
        bool stopped_here;
        Ailment ailment;
    };
    const Row rows[] = {
        {DomainState::Running, "booted", false, Ailment::None},
        {DomainState::Blocked, "", false, Ailment::None},
        {DomainState::ShutOff, "guest crashed", false, Ailment::Crashed},
        {DomainState::ShutOff, "failed to start", false, Ailment::Crashed},
        {DomainState::ShutOff, "killed by the daemon", false, Ailment::Crashed},
        {DomainState::ShutOff, "", false, Ailment::Crashed},
        {DomainState::ShutOff, "shut down", false, Ailment::ShutDown},
        {DomainState::ShutOff, "shut down", true, Ailment::ShutDown},
        {DomainState::ShutOff, "destroyed", false, Ailment::ByHand},
        {DomainState::ShutOff, "destroyed", true, Ailment::Crashed},
        {DomainState::ShutOff, "saved", true, Ailment::ByHand},
        {DomainState::ShutOff, "saved", false, Ailment::ByHand},
        {DomainState::ShutOff, "migrated", false, Ailment::ByHand},
        {DomainState::ShutOff, "from snapshot", false, Ailment::ByHand},
        {DomainState::ShutOff, "reason 99", false, Ailment::ByHand},
        {DomainState::Crashed, "panicked", false, Ailment::Panicked},
        {DomainState::Crashed, "", false, Ailment::Panicked},
        {DomainState::Paused, "I/O error", false, Ailment::IoError},
        {DomainState::Paused, "watchdog", false, Ailment::WatchedOut},
        {DomainState::Paused, "guest crashed", false, Ailment::Panicked},
        {DomainState::Paused, "migration", false, Ailment::Passing},
        {DomainState::Paused, "starting up", false, Ailment::Passing},
        {DomainState::Paused, "being saved", false, Ailment::Passing},
        {DomainState::Paused, "paused by a user", false, Ailment::ByHand},
        {DomainState::Paused, "", false, Ailment::ByHand},
        {DomainState::Paused, "post-copy migration failed", false, Ailment::ByHand},
        {DomainState::ShuttingDown, "", false, Ailment::Passing},
        {DomainState::Suspended, "", false, Ailment::ByHand},
        {DomainState::Unknown, "", false, Ailment::Unclear},
    };
    for (const Row& row : rows) {
        const DomainView view = shown(row.state, row.reason);
        CAPTURE(domain_state_name(row.state), row.reason, row.stopped_here);
        CHECK(diagnose(&view, row.stopped_here, true).ailment == row.ailment);
    }
    CHECK(diagnose(nullptr, false, true).ailment == Ailment::Absent);
    CHECK(diagnose(nullptr, false, false).ailment == Ailment::Crashed);

    DomainView view = shown(DomainState::Paused, "I/O error");
    view.disk_errors = {"vda: no space\x1b[2J"};
    CHECK(diagnose(&view, false, true).text.find('\x1b') == std::string::npos);
    CHECK_THAT(diagnose(&view, false, true).text, Contains("paused (I/O error), vda: no space"));
}

TEST_CASE("pauses between restarts grow and end") {
    CHECK(back_off(5s, 0) == 0ms);
    CHECK(back_off(5s, 1) == 5s);
    CHECK(back_off(5s, 2) == 10s);
    CHECK(back_off(5s, 4) == 40s);
    CHECK(back_off(5s, 50) == 10min);
    CHECK(back_off(5s, 2'000'000'000) == 10min);
    CHECK(back_off(10min, 1) == 10min);
}

TEST_CASE("what a host must say before its domain is started elsewhere") {
    struct Row {
        bool known;
        DomainState state;
        std::optional<bool> autostart;
        bool proves;
    };
    const Row rows[] = {
        {false, DomainState::ShutOff, std::nullopt, true},
        {true, DomainState::ShutOff, false, true},
        {true, DomainState::ShutOff, true, false},
        {true, DomainState::ShutOff, std::nullopt, false},
        {true, DomainState::Running, false, false},
        {true, DomainState::Paused, false, false},
        {true, DomainState::Crashed, false, false},
        {true, DomainState::ShuttingDown, false, false},
        {true, DomainState::Unknown, false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.known, domain_state_name(row.state), row.autostart.value_or(false));
        CHECK(!off_objection({row.known, row.state, "", row.autostart}) == row.proves);
    }
}

TEST_CASE("a host's word is taken by reading it anew after its autostart is off") {
    OneHost host;
    host.reading = {true, DomainState::ShutOff, "guest crashed", true};
    const DomainRecord domain{"web1", "uuid-web1", "a", DomainState::ShutOff, gibibytes(1),
                              1,      true,        {},  "<domain/>"};
    const Deadline deadline{};
    SECTION("it is off") {
        const OffWord word = OffWitness::ask(host, domain, deadline);
        REQUIRE(word.proof);
        CHECK(word.proof->host() == "a");
        CHECK(word.proof->uuid() == "uuid-web1");
        CHECK(word.proof->evidence() == "a says: shut off (guest crashed), autostart off");
        CHECK(host.calls == "kr");
    }
    SECTION("somebody started it meanwhile") {
        host.reading.state = DomainState::Running;
        const OffWord word = OffWitness::ask(host, domain, deadline);
        CHECK_FALSE(word.proof);
        CHECK_THAT(word.text, Contains("it is running"));
    }
    SECTION("autostart stays on") {
        host.keep_off_fails = true;
        CHECK_FALSE(OffWitness::ask(host, domain, deadline).proof);
        CHECK(host.calls == "k");
    }
    SECTION("no answer") {
        host.read_fails = true;
        const OffWord word = OffWitness::ask(host, domain, deadline);
        CHECK_FALSE(word.proof);
        CHECK(word.text == "no answer in time");
    }
}

TEST_CASE("what is done about a way to fail") {
    Remedies policy, domain;
    CHECK(remedy_for(&Remedies::crash, domain, policy) == Remedy::Restart);
    CHECK(remedy_for(&Remedies::hang, domain, policy) == Remedy::Report);
    CHECK(remedy_for(&Remedies::shutdown, domain, policy) == Remedy::Restart);
    CHECK(remedy_for(&Remedies::io_error, domain, policy) == Remedy::Resume);
    policy.hang = Remedy::Restart;
    CHECK(remedy_for(&Remedies::hang, domain, policy) == Remedy::Restart);
    domain.hang = Remedy::Report;
    CHECK(remedy_for(&Remedies::hang, domain, policy) == Remedy::Report);
    for (const RemedyKey& key : remedy_keys()) {
        CHECK(parse_remedy(key, remedy_name(key.active)) == key.active);
        CHECK(parse_remedy(key, "report") == Remedy::Report);
        CHECK_FALSE(parse_remedy(key, key.active == Remedy::Resume ? "restart" : "resume"));
        CHECK_FALSE(parse_remedy(key, ""));
    }
}

TEST_CASE("keys about failing domains are read, written and checked") {
    const std::string text =
        "policy restart_limit=5 restarts_elsewhere=0 restart_pause=1s restart_window=30min "
        "hang_time=20s on_hang=restart\n"
        "host a\ndomain web1 on_crash=report on_io_error=report\n";
    const Inventory inventory = parse_inventory(text);
    CHECK(inventory.policy.restart_limit == 5);
    CHECK(inventory.policy.restarts_elsewhere == 0);
    CHECK(inventory.policy.restart_window == 30min);
    CHECK(inventory.policy.remedies.hang == Remedy::Restart);
    CHECK(inventory.domains[0].remedies.crash == Remedy::Report);
    CHECK(inventory.domains[0].remedies.io_error == Remedy::Report);
    CHECK_FALSE(inventory.domains[0].remedies.hang);
    CHECK(render_inventory(parse_inventory(render_inventory(inventory))) ==
          render_inventory(inventory));
    CHECK_THROWS_WITH(parse_inventory("host a\ndomain web1 on_crash=resume\n"),
                      "line 2: on_crash: write \"restart\" or \"report\"");
    CHECK_THROWS_WITH(parse_inventory("policy restart_limit=101\nhost a\n"),
                      Contains("out of range"));
}

TEST_CASE("the host that was chosen is judged again when the old one gave its word") {
    for (const bool is_taken : {false, true}) {
        CAPTURE(is_taken);
        Setting setting;
        setting.inventory = parse_inventory(R"(policy restart_limit=0
host a
host b
host c
domain web1 apart=web hosts=a,b
domain web2 apart=web
)");
        setting.report("web1");
        LookedAround look;
        look.incident = setting.situation.cases.begin()->first;
        look.began = setting.now.mono;
        for (const char* host : {"a", "b", "c"}) {
            look.hosts[host].view.emplace();
            look.hosts[host].view->memory_total = gibibytes(8);
        }
        look.hosts["a"].view->domains = {shown(DomainState::ShutOff, "guest crashed")};
        const CareStep word = advance_care(setting.situation, look, setting.context());
        REQUIRE(word.actions.size() == 1);
        const auto* asked = std::get_if<ActOn>(&word.actions[0]);
        REQUIRE(asked != nullptr);
        CHECK(asked->act == CareAct::KeepOff);
        // Meanwhile a maintenance begins to move the other one there.
        if (is_taken) setting.moving["web2"] = {"c", "b", gibibytes(2)};
        const CareStep next =
            advance_care(setting.situation,
                         Acted{look.incident, CareAct::KeepOff, "a", StartResult::Ok, "it is off"},
                         setting.context());
        REQUIRE(next.actions.size() == 1);
        CHECK(std::holds_alternative<LookAround>(next.actions[0]) == is_taken);
        const auto* start = std::get_if<ActOn>(&next.actions[0]);
        if (!is_taken) CHECK((start != nullptr && start->act == CareAct::StartOver));
    }
}

TEST_CASE("reports of domains that nobody looks at") {
    Setting setting;
    CHECK(outcome(setting.report("web1")) == "looks");
    CHECK(setting.situation.cases.size() == 1);
    CHECK(setting.situation.cases.begin()->first == 7);

    Setting other;
    SECTION("a soft state") {
        CHECK_THAT(outcome(other.report("web1", StateType::Soft)), Contains("a soft state"));
    }
    SECTION("UNKNOWN") {
        CHECK_THAT(outcome(other.report("web1", StateType::Hard, HostState::Unreachable)),
                   Contains("no failure of the domain"));
    }
    SECTION("a name that is not known") {
        CHECK_THAT(outcome(other.report("web9")), Contains("no domain of that name"));
    }
    SECTION("disarmed") {
        other.arming = {false, {}, "alice", "new switch", other.now.wall};
        CHECK_THAT(outcome(other.report("web1")), Contains("disarmed (new switch)"));
    }
    SECTION("on hold") {
        other.holds = {{"web1", {}, "alice", "new kernel", other.now.wall}};
        CHECK_THAT(outcome(other.report("web1")), Contains("by alice: new kernel"));
    }
    SECTION("a hold that is over") {
        other.holds = {{"web1", other.now.wall, "alice", "", other.now.wall - 1h}};
        CHECK(outcome(other.report("web1")) == "looks");
    }
    SECTION("in maintenance") {
        other.marks.push_back({});
        other.marks[0].host = "a";
        CHECK_THAT(outcome(other.report("web1")), Contains("a is in maintenance"));
    }
    SECTION("on its way to another host") {
        other.moving["web1"] = {"a", "b", gibibytes(2)};
        CHECK_THAT(outcome(other.report("web1")), Contains("a maintenance is moving it"));
    }
    SECTION("a recovery has its host") {
        other.recovering["a"] = 3;
        CHECK_THAT(outcome(other.report("web1")), Contains("incident 3"));
    }
    SECTION("a recovery has it, on whatever host") {
        other.recovered["web1"] = 4;
        CHECK_THAT(outcome(other.report("web1")), Contains("incident 4"));
    }
    SECTION("what the cluster file says of it") {
        CHECK_THAT(outcome(other.report("web2")), Contains("restart = \"never\""));
        CHECK_THAT(outcome(other.report("web3")), Contains("does not expect it to run"));
    }
    SECTION("last seen too long ago") {
        other.record.domains[0].seen = other.now.wall - 11min;
        CHECK_THAT(outcome(other.report("web1")), Contains("11min ago"));
    }
    SECTION("never seen") {
        other.record.domains.clear();
        CHECK_THAT(outcome(other.report("web1")), Contains("nothing is recorded of it"));
    }
    // An incident is closed in the same step, or there was none.
    CHECK(other.situation.cases.size() <= 1);
}

TEST_CASE("a second report joins the incident that is open") {
    Setting setting;
    setting.report("web1");
    const CareStep step = setting.report("web1");
    CHECK(step.opened.empty());
    REQUIRE(step.entries.size() == 1);
    CHECK_THAT(step.entries[0].text, Contains("joined to this incident"));
}
