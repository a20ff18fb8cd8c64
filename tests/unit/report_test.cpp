// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report.hpp"

#include <catch2/catch.hpp>

#include "lib/core/inventory_text.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// 2026-11-22T04:13:44.120Z and `ms` later.
TimePoint at(int ms) {
    return TimePoint{1'795'320'824'120ms + std::chrono::milliseconds(ms)};
}

Incident incident() {
    return {3, "xen1", at(0), at(4312), IncidentState::Partial, "1 of 2 domains runs elsewhere"};
}

std::vector<JournalEntry> entries() {
    return {
        {3, at(0), EntryKind::Event, StepKind::None, "xen1", "", "", true,
         "monitor says DOWN HARD"},
        {3, at(412), EntryKind::Decision, StepKind::Look, "xen1", "", "", true, "it is silent"},
        {3, at(420), EntryKind::Intent, StepKind::Fence, "xen1", "", "bmc-xen1", true, "level 1"},
        {3, at(610), EntryKind::Outcome, StepKind::Fence, "xen1", "", "bmc-xen1", true,
         "reads off"},
        {3, at(700), EntryKind::Outcome, StepKind::Start, "xen1", "web1", "xen2", false,
         "no \"space\"\x1b[31m"},
        {3, at(-5), EntryKind::Refusal, StepKind::Plan, "xen1", "web2", "", true, "need 2 GiB"},
    };
}

StatusFacts facts() {
    StatusFacts facts;
    facts.inventory = parse_inventory(
        "cluster demo\nhost xen1 fence=d\nhost xen2\nhost xen3 fence=d3\n"
        "device d agent=fence_ipmi\ndevice d3 agent=fence_ipmi\n"
        "domain web1 priority=10\ndomain web2 restart=never expect=off\ndomain web3\n");
    facts.now = at(60'000);
    facts.arming = {true, std::nullopt, "alice", "tested", at(0)};
    facts.record.hosts = {
        {"xen1", at(58'500), gibibytes(8), gibibytes(3), "QEMU 7.2"},
        {"xen2", at(60'000 - 700'000), gibibytes(4), std::nullopt, "QEMU 7.2"},
        {"old9", at(59'000), gibibytes(4), std::nullopt, ""},
    };
    facts.record.domains = {
        {"web1", "u1", "xen1", DomainState::Running, gibibytes(1), 1, true, at(58'500), "<x/>"},
        {"web2", "u2", "xen1", DomainState::ShutOff, gibibytes(1), 1, true, at(1'000), "<x/>"},
        {"stray", "u4", "old9", DomainState::Paused, mebibytes(64), 1, true, at(61'000), ""},
        {"gone", "u5", "old9", DomainState::ShutOff, mebibytes(64), 1, true, at(0), ""},
    };
    facts.latest = {incident()};
    return facts;
}

}  // namespace

TEST_CASE("report: status for people") {
    CHECK(render_status(facts()) ==
          R"(Cluster:   demo
Automatic: armed since 2026-11-22T04:13:44.120Z by alice: tested
Worker:    none

Last incidents
  N  HOST  OPENED                       TOOK  STATE    SUMMARY
  3  xen1  2026-11-22T04:13:44.120Z  4.312 s  partial  1 of 2 domains runs elsewhere

Hosts
  HOST  LAST READ      MEMORY   FREE  ACTIVE  NOTE
  xen1  1.5s ago        8 GiB  3 GiB       1
  xen2  11min 40s ago   4 GiB      -       0  too long ago to trust, no fence device
  xen3  -                   -      -       -  never read
  old9  1s ago          4 GiB      -       1  not in the cluster file

Domains
  DOMAIN  HOST  STATE     LAST SEEN      MEMORY  PRIORITY  RESTART  NOTE
  web1    xen1  running   1.5s ago        1 GiB        10  always
  web2    xen1  shut off  59s ago         1 GiB         0  never
  web3    -     -         -                   -         0  always   never seen
  stray   old9  paused    in the future  64 MiB         -  -        not in the cluster file, its definition is not known
)");
}

TEST_CASE("report: status says what is left to do") {
    StatusFacts now = facts();
    now.pending = {{}, {}};
    now.unfinished = {{4, "xen2", at(59'000), std::nullopt, IncidentState::Open, ""}};
    now.loose = {
        {0, at(5), EntryKind::Refusal, StepKind::None, "xen9", "", "", true, "unknown host"}};
    now.record.domains[0].state = DomainState::Crashed;
    std::string text = render_status(now);
    CHECK_THAT(text, Contains("Worker:    none, 2 reports wait; the next event for a host, or "
                              "domkeeper recover, finishes what is left\n"));
    CHECK_THAT(text,
               Contains("\nIncidents under way\n  N  HOST  OPENED                       TOOK  "
                        "STATE  SUMMARY\n  4  xen2  2026-11-22T04:14:43.120Z  1.000 s  "
                        "open\n"));
    CHECK_THAT(text, Contains("Last reports without an incident\n  TIME                      HOST  "
                              "WHAT\n  2026-11-22T04:13:44.125Z  xen9  unknown host\n"));
    CHECK_THAT(text, Contains("should run\n"));
    now.worker_alive = true;
    now.pending.pop_back();
    text = render_status(now);
    CHECK_THAT(text, Contains("Worker:    at work, 1 report waits\n"));
}

TEST_CASE("report: status of a new installation") {
    StatusFacts fresh;
    fresh.now = at(0);
    const std::string text = render_status(fresh);
    CHECK_THAT(text, Contains("Cluster:   -\nAutomatic: DISARMED: it was never armed; domkeeper "
                              "arm does it\nWorker:    none\n\nLast incidents\n  none\n"));
    CHECK_THAT(text, Contains("Domains\n  none\n"));
    CHECK_THAT(status_json(fresh).render(), Contains("\"armed\": false"));
}

TEST_CASE("report: status for programs") {
    const std::string json = status_json(facts()).render();
    CHECK_THAT(json, Contains(R"(
    {
      "name": "xen1",
      "listed": true,
      "can_be_fenced": true,
      "seen": "2026-11-22T04:14:42.620Z",
      "age_seconds": 1.500,
      "trusted": true,
      "memory_bytes": 8589934592,
      "memory_free_bytes": 3221225472,
      "hypervisor": "QEMU 7.2",
      "active_domains": 1
    })"));
    CHECK_THAT(json, Contains(R"(
    {
      "name": "stray",
      "listed": false,
      "uuid": "u4",
      "host": "old9",
      "state": "paused",
      "seen": "2026-11-22T04:14:45.120Z",
      "memory_bytes": 67108864,
      "definition_known": false,
      "priority": null,
      "restart": null,
      "expect": null
    })"));
    CHECK_THAT(json, !Contains("<x/>"));  // definitions hold secrets
}

TEST_CASE("report: the timeline of an incident") {
    CHECK(render_incident(incident(), entries(), at(9'000)) ==
          R"(Incident 3: host xen1, partial after 4.312 s: 1 of 2 domains runs elsewhere
Opened 2026-11-22T04:13:44.120Z, closed 2026-11-22T04:13:48.432Z

  SECONDS  WHAT      STEP   DOMAIN  TARGET    RESULT  TEXT
    0.000  event                                      monitor says DOWN HARD
    0.412  decision  look                             it is silent
    0.420  intent    fence          bmc-xen1          level 1
    0.610  outcome   fence          bmc-xen1  ok      reads off
    0.700  outcome   start  web1    xen2      failed  no "space"?[31m
   -0.005  refusal   plan   web2                      need 2 GiB
)");
    Incident open = incident();
    open.closed = std::nullopt;
    open.state = IncidentState::Open;
    open.summary = "";
    CHECK(render_incident(open, {}, at(9'000)) ==
          "Incident 3: host xen1, open for 9.000 s\nOpened 2026-11-22T04:13:44.120Z\n\n"
          "  nothing was written\n");
    const std::string json = incident_json(open, entries()).render();
    CHECK_THAT(json, Contains(R"({
  "id": 3,
  "host": "xen1",
  "domain": null,
  "state": "open",
  "opened": "2026-11-22T04:13:44.120Z",
  "closed": null,
  "seconds": null,
  "summary": "",
  "timeline": [
    {
      "seconds": 0.000,
      "at": "2026-11-22T04:13:44.120Z",
      "kind": "event",
      "step": null,
      "host": "xen1",
      "domain": null,
      "target": null,
      "ok": null,
      "text": "monitor says DOWN HARD"
    },)"));
    CHECK_THAT(json, Contains(R"(      "domain": "web1",
      "target": "xen2",
      "ok": false,
      "text": "no \"space\"\u001b[31m")"));
    CHECK_THAT(incidents_json({incident()}).render(), Contains("\"seconds\": 4.312"));
}

TEST_CASE("an incident of a domain says so") {
    Incident one = incident();
    one.domain = "web1";
    CHECK_THAT(render_incident(one, {}, at(9'000)), StartsWith("Incident 3: web1 on xen1, "));
    CHECK_THAT(render_incidents({one}, at(9'000)), Contains("web1 on xen1"));
    CHECK_THAT(incidents_json({one}).render(), Contains("\"domain\": \"web1\""));
    one.domain = "*";
    CHECK_THAT(render_incident(one, {}, at(9'000)), StartsWith("Incident 3: domains of xen1, "));
}

TEST_CASE("report: arming in words") {
    const TimePoint now = at(0);
    CHECK(render_arming({}, now) == "DISARMED: it was never armed; domkeeper arm does it");
    CHECK(render_arming({true, std::nullopt, "al\x1b", "", at(0)}, now) ==
          "armed since 2026-11-22T04:13:44.120Z by al?");
    CHECK(render_arming({false, std::nullopt, "bob", "work", at(0)}, now) ==
          "DISARMED since 2026-11-22T04:13:44.120Z by bob, until somebody arms it: work");
    const Arming timed{false, at(7'200'000), "bob", "work", at(0)};
    CHECK(render_arming(timed, now) ==
          "DISARMED until 2026-11-22T06:13:44.120Z (for another 2h) by bob: work");
    CHECK(render_arming(timed, at(7'200'000)) ==
          "armed again since 2026-11-22T06:13:44.120Z, the end of the disarming by bob: work");
    CHECK_THAT(arming_json(timed, now).render(), Contains("\"armed\": false"));
    CHECK_THAT(arming_json(timed, at(7'200'000)).render(), Contains("\"armed\": true"));
}

TEST_CASE("report: a cluster file's mistakes") {
    LoadedConfig config;
    config.inventory = parse_inventory("host a\nhost b\n");
    CHECK(render_config("/c", config) == "/c: 2 hosts, 0 devices, 0 domains, no mistake\n");
    config.warnings.push_back({"/c", 3, 4, "host.a", "no"});
    config.problems.push_back({"/c", 0, 0, "", "can't be read"});
    config.problems.push_back({"/c", 7, 1, "policy.x", "unknown key"});
    CHECK(render_config("/c", config) ==
          "mistake: /c: can't be read\n"
          "mistake: /c:7:1: policy.x: unknown key\n"
          "warning: /c:3:4: host.a: no\n"
          "/c: 2 mistakes, 1 warning\n");
    const std::string json = config_json("/c", config).render();
    CHECK_THAT(json, Contains("\"ok\": false"));
    CHECK_THAT(json, Contains("\"line\": null,\n      \"column\": null,\n      \"key\": null"));
    CHECK_THAT(json, Contains("\"line\": 7,\n      \"column\": 1,\n      \"key\": \"policy.x\""));
}
