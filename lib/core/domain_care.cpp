// SPDX-License-Identifier: GPL-3.0-or-later
// The care of domains: reports, time, and the end of an incident.
#include "lib/core/domain_care.hpp"

#include <algorithm>

#include "lib/core/domain_care_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::string_view any_domain = "*";
constexpr Duration longest_pause{600'000};

std::string said(const HostEvent& event) {
    return std::string(host_state_name(event.state)) + " " +
           std::string(state_type_name(event.type));
}

}  // namespace

CareStep advance_care(CareSituation& situation, const CareEvent& event,
                      const CareContext& context) {
    CareStepper stepper(situation, context);
    std::visit([&](const auto& e) { stepper.on(e); }, event);
    return stepper.take();
}

bool is_care(const Incident& incident) {
    return !incident.domain.empty();
}

Duration back_off(Duration first, int restarts) {
    if (restarts <= 0) return Duration{0};
    Duration pause = std::min(first, longest_pause);
    for (int i = 1; i < restarts && pause < longest_pause; ++i)
        pause = std::min(pause * 2, longest_pause);
    return pause;
}

std::optional<std::string> report_objection(const Inventory& inventory, const HostEvent& event) {
    if (!event.domain.empty() && inventory.find_domain(event.domain) == nullptr)
        return "no domain of that name is in the cluster file";
    if (!event.host.empty() && inventory.find_host(event.host) == nullptr && event.domain.empty())
        return "no host of that name is in the cluster file";
    if (event.type == StateType::Soft) return "a soft state";
    if (event.state == HostState::Unreachable)
        return "it can't be asked how it is, which is no failure of the domain";
    return std::nullopt;
}

const CareCase* CareSituation::find(const std::string& domain) const {
    for (const auto& [id, care] : cases)
        if (care.domain == domain) return &care;
    return nullptr;
}

std::set<std::string> CareSituation::busy_hosts() const {
    std::set<std::string> hosts;
    for (const auto& [id, care] : cases) {
        if (!is_bound(care)) continue;
        hosts.insert(care.host);
        if (!care.target.empty()) hosts.insert(care.target);
        if (!care.pinned.empty()) hosts.insert(care.pinned);
    }
    return hosts;
}

std::string goal_of(const CareCase& care) {
    if (!care.pinned.empty()) return care.pinned;
    return care.phase == CarePhase::Acting ? care.target : care.host;
}

bool is_bound(const CareCase& care) {
    return !care.pinned.empty() || care.phase == CarePhase::Acting || care.acted;
}

std::map<std::string, CaredFor> CareSituation::goals() const {
    std::map<std::string, CaredFor> all;
    for (const auto& [id, care] : cases)
        if (care.domain != any_domain) all[care.domain] = {goal_of(care), is_bound(care)};
    return all;
}

std::vector<WilledDomain> CareSituation::willed() const {
    std::vector<WilledDomain> all;
    for (const auto& [id, care] : cases)
        if (care.willed)
            all.push_back({care.domain, care.host, care.pinned.empty() ? care.host : care.pinned});
    return all;
}

void count_as_running(const CareSituation& situation, ClusterRecord& record,
                      std::set<std::string>& counted) {
    for (const WilledDomain& willed : situation.willed())
        for (DomainRecord& domain : record.domains) {
            // Where somebody else moved it meanwhile, that is newer.
            if (domain.name != willed.domain ||
                (domain.host != willed.from && counted.count(domain.name) == 0))
                continue;
            domain.host = willed.host;
            domain.state = DomainState::Running;
            counted.insert(domain.name);
        }
}

std::optional<Instant> next_wake(const CareSituation& situation) {
    std::optional<Instant> next;
    for (const auto& [id, care] : situation.cases) {
        const bool waits =
            care.phase == CarePhase::Waiting || (care.phase == CarePhase::Asking && !care.asking);
        if (waits && (!next || care.next < *next)) next = care.next;
    }
    return next;
}

void CareStepper::note(const CareCase& care, EntryKind kind, StepKind step, const std::string& text,
                       const std::string& target, bool ok) {
    const std::string domain = care.domain == any_domain ? std::string{} : care.domain;
    step_.entries.push_back(
        {care.id, context_.now.wall, kind, step, care.host, domain, target, ok, text});
}

// ---- reports --------------------------------------------------------------------------------

CareCase& CareStepper::open(const std::string& domain, const std::string& host,
                            const std::string& text) {
    CareCase care;
    care.id = context_.next_incident + static_cast<IncidentId>(step_.opened.size());
    care.domain = domain;
    care.host = host;
    if (const DomainRecord* record = context_.record.find_domain(domain)) care.record = *record;
    Incident incident;
    incident.id = care.id;
    incident.host = host;
    incident.domain = domain;
    incident.opened = context_.now.wall;
    step_.opened.push_back(incident);
    note(care, EntryKind::Event, StepKind::None, text);
    return situation_.cases[care.id] = std::move(care);
}

void CareStepper::refuse_event(const HostEvent& event, const std::string& why) {
    step_.entries.push_back({0,
                             context_.now.wall,
                             EntryKind::Refusal,
                             StepKind::None,
                             event.host,
                             event.domain,
                             {},
                             false,
                             said(event) + " from " + event.source + " not acted on: " + why});
}

/// Why this is not ours: another machine has the domain or its host.
std::optional<std::string> CareStepper::busy_elsewhere(const std::string& domain,
                                                       const std::string& host) const {
    if (const auto found = context_.recovered.find(domain); found != context_.recovered.end())
        return "the recovery of incident " + std::to_string(found->second) + " works on it";
    if (const auto found = context_.recovering.find(host); found != context_.recovering.end())
        return "a recovery of " + host + " is under way (incident " +
               std::to_string(found->second) + ")";
    return std::nullopt;
}

/// What speaks against doing anything, at any time.
std::optional<std::string> CareStepper::objection(const std::string& domain,
                                                  const std::string& host) const {
    const Arming& arming = context_.arming;
    if (!arming.no_seat.empty()) return arming.no_seat;
    if (!arming.armed_at(context_.now.wall))
        return "disarmed" + (arming.reason.empty() ? "" : " (" + arming.reason + ")") +
               "; `domkeeper arm` ends it";
    for (const DomainHold& hold : context_.holds)
        if (hold.domain == domain && (!hold.until || context_.now.wall < *hold.until))
            return "it is held since " + render_time(hold.since) +
                   (hold.who.empty() ? "" : " by " + hold.who) +
                   (hold.reason.empty() ? "" : ": " + hold.reason) + "; `domkeeper unhold " +
                   domain + "` ends it";
    if (find_mark(context_.marks, host) != nullptr)
        return host + " is in maintenance; `domkeeper return " + host + "` ends it";
    if (context_.moving.count(domain) != 0) return "a maintenance is moving it";
    return std::nullopt;
}

/// What speaks against it when it is reported.
std::optional<std::string> CareStepper::first_objection(const std::string& domain) const {
    const DomainRecord* record = context_.record.find_domain(domain);
    if (const auto why = objection(domain, record == nullptr ? std::string{} : record->host))
        return why;
    if (record == nullptr)
        return "nothing is recorded of it; check_cluster must have seen it run once";
    if (context_.inventory.find_host(record->host) == nullptr)
        return "it was last seen on " + record->host + ", which is not in the cluster file";
    const Domain* entry = context_.inventory.find_domain(domain);
    if (entry->expect != Expected::Running) return "the cluster file does not expect it to run";
    if (entry->restart == RestartPolicy::Never) return "the cluster file says restart = \"never\"";
    // It was on purpose, or so long ago that nobody can say.
    const auto age = std::chrono::duration_cast<Duration>(context_.now.wall - record->seen);
    if (age > policy().record_max_age)
        return "it was last seen active " + render_duration(age) + " ago, the limit is " +
               render_duration(policy().record_max_age) + "; start it by hand";
    return std::nullopt;
}

void CareStepper::on(const DomainReported& reported) {
    const HostEvent& event = reported.event;
    if (const auto why = report_objection(context_.inventory, event))
        return refuse_event(event, *why);
    if (event.state != HostState::DomainFailed) return;
    std::string text = event.source + " says " + said(event);
    if (!event.output.empty()) text += ": " + event.output;
    const std::string domain = event.domain.empty() ? std::string(any_domain) : event.domain;
    const DomainRecord* record = context_.record.find_domain(domain);
    const std::string host = record != nullptr && !event.domain.empty() ? record->host : event.host;
    for (auto& [id, care] : situation_.cases)
        if (care.domain == domain && (!event.domain.empty() || care.host == host))
            return note(care, EntryKind::Event, StepKind::None, text + "; joined to this incident");
    if (const auto why = busy_elsewhere(domain, host)) return refuse_event(event, *why);
    std::optional<std::string> why;
    if (!event.domain.empty())
        why = first_objection(domain);
    else
        why = objection(domain, host);
    CareCase& care = open(domain, host, text);
    if (why) return refuse(care, *why);
    look(care);
}

// ---- after a killed worker --------------------------------------------------------------------

void CareStepper::replay(CareCase& care, const std::vector<JournalEntry>& entries) const {
    for (const JournalEntry& entry : entries) {
        if (entry.domain != care.domain) continue;
        const bool intent = entry.kind == EntryKind::Intent;
        const bool outcome = entry.kind == EntryKind::Outcome;
        if (intent) care.willed = care.touched = true;
        if (entry.step == StepKind::Stop && (intent || outcome))
            care.stopped_here = intent || entry.ok;
        if (entry.step == StepKind::Start && intent) {
            care.host = entry.host;
            care.pinned = entry.target;
        }
        if (entry.step == StepKind::Start && outcome) {
            care.pinned.clear();
            if (!entry.ok) care.failed_on.insert(entry.target);
        }
        const bool done = outcome && entry.ok &&
                          (entry.step == StepKind::Start || entry.step == StepKind::Resume);
        if (done) {
            care.host = entry.target;
            care.deed = entry.text;
            care.resumed = entry.step == StepKind::Resume;
            care.stopped_here = false;
        }
        if (done || (outcome && entry.step == StepKind::Verify)) care.acted = entry.ok;
    }
    care.acted_at = care.pinned_since = mono();
    if (const DomainRecord* record = context_.record.find_domain(care.domain))
        care.record = *record;
    care.record.host = care.host;
}

/// Killed between the outcome of a start and the record of it.
void CareStepper::record_again(const CareCase& care, const std::vector<JournalEntry>& entries) {
    const DomainRecord* const record = context_.record.find_domain(care.domain);
    if (record == nullptr || record->host == care.host || !care.pinned.empty()) return;
    for (const JournalEntry& entry : entries)
        if (entry.kind == EntryKind::Outcome && entry.step == StepKind::Start && entry.ok &&
            entry.target == care.host && entry.at >= record->seen)
            return act(RecordPlace{care.domain, care.host});
}

void CareStepper::on(const CareTakenUp& taken) {
    CareCase fresh;
    fresh.id = taken.incident.id;
    fresh.domain = taken.incident.domain;
    fresh.host = taken.incident.host;
    replay(fresh, taken.entries);
    record_again(fresh, taken.entries);
    CareCase& care = situation_.cases[fresh.id] = std::move(fresh);
    note(care, EntryKind::Event, StepKind::None, "its worker was killed; this one goes on with it");
    if (care.domain != any_domain && entry(care) == nullptr)
        return refuse(care, "the cluster file does not have it any more");
    if (context_.inventory.find_host(care.host) == nullptr)
        return refuse(care, "the cluster file does not have its host any more");
    look(care);
}

// ---- time -----------------------------------------------------------------------------------

void CareStepper::look(CareCase& care) {
    care.phase = CarePhase::Looking;
    act(LookAround{care.id, care.domain == any_domain ? std::string{} : care.domain});
}

void CareStepper::wait(CareCase& care, Duration pause) {
    care.phase = CarePhase::Waiting;
    care.next = mono() + pause;
}

/// Waits, and says once for what. False: it was waited for this for longer than `patience`.
bool CareStepper::wait_for(CareCase& care, const std::string& what, Duration pause,
                           std::optional<Duration> patience) {
    if (care.waits_for != what) {
        note(care, EntryKind::Decision, StepKind::Look, "it waits: " + what);
        care.waiting_since = mono();
        care.waits_for = what;
    }
    if (patience && mono() - *care.waiting_since > *patience) return false;
    wait(care, pause);
    return true;
}

void CareStepper::on(const CareTick&) {
    for (auto& [id, care] : situation_.cases) {
        if (care.next > mono()) continue;
        if (care.phase == CarePhase::Asking && !care.asking) ask(care);
        if (care.phase == CarePhase::Waiting) look(care);
    }
}

// ---- the end --------------------------------------------------------------------------------

void CareStepper::close(const CareCase& care, IncidentState state, const std::string& summary) {
    const bool good = state == IncidentState::Recovered || state == IncidentState::FalseAlarm ||
                      state == IncidentState::HandedOn;
    note(care, EntryKind::Decision, StepKind::Close, summary, {}, good);
    Incident incident;
    incident.id = care.id;
    incident.host = care.host;
    incident.domain = care.domain;
    incident.closed = context_.now.wall;
    incident.state = state;
    incident.summary = summary;
    step_.closed.push_back(incident);
    const std::string what =
        care.domain == any_domain ? "domains of " + care.host : "domain " + care.domain;
    if (state != IncidentState::FalseAlarm && state != IncidentState::HandedOn)
        act(Alarm{"incident " + std::to_string(care.id) + ", " + what + ", " +
                  std::string(incident_state_name(state)) + ": " + summary});
    situation_.cases.erase(incident.id);
}

void CareStepper::refuse(const CareCase& care, const std::string& why) {
    note(care, EntryKind::Refusal, StepKind::None, why, {}, false);
    close(care, IncidentState::Refused,
          (care.touched ? "nothing more was done: " : "nothing was done: ") + why);
}

void CareStepper::give_up(const CareCase& care, const std::string& why) {
    note(care, EntryKind::Refusal, StepKind::Start, why, {}, false);
    close(care, IncidentState::Failed, "GIVEN UP: " + why);
}

}  // namespace domkeeper
