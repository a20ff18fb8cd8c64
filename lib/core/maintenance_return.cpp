// SPDX-License-Identifier: GPL-3.0-or-later
// A host that was fenced is back: it is looked at, cleaned and given its disks before it counts.
#include <algorithm>
#include <utility>

#include "lib/core/maintenance_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// A machine answers ping long before its libvirt does.
constexpr Duration back_patience{300'000};
constexpr Duration look_again{2'000};
constexpr Duration unfence_again{5'000};
/// Hosts are read one beside the other: one that is on its way from one to the other, by somebody's
/// hand, may be seen on both.
constexpr Duration twice_patience{10'000};
/// So many definitions are taken away at a time.
constexpr std::size_t forgotten_at_once = 8;

std::set<std::string> active_on(const std::map<std::string, HostReading>& hosts,
                                const std::string& host) {
    std::set<std::string> names;
    const auto reading = hosts.find(host);
    if (reading == hosts.end() || !reading->second.view) return names;
    for (const DomainView& domain : reading->second.view->domains)
        if (is_active(domain.state)) names.insert(domain.name);
    return names;
}

}  // namespace

void MaintenanceStepper::note_back(EntryKind kind, const std::string& domain,
                                   const std::string& text, bool ok) {
    step_.entries.push_back({active().id,
                             context_.now.wall,
                             kind,
                             StepKind::Return,
                             active().host,
                             domain,
                             {},
                             ok,
                             text});
}

bool MaintenanceStepper::is_untrusted() const {
    const MaintenanceCase& work = *situation_.active;
    const Maintenance* mark = find_mark(context_.marks, work.host);
    return work.goal == MaintenancePhase::Returning && !work.taken_in && mark != nullptr &&
           mark->fenced;
}

void MaintenanceStepper::examine() {
    MaintenanceCase& work = active();
    work.stage = CaseStage::Examining;
    if (!work.back_since) {
        work.back_since = mono();
        note(EntryKind::Intent, StepKind::Return,
             "it was fenced: what it has is held against the record and the other hosts");
    }
    work.asking = true;
    work.replan = context_.others_first();
    act(ExamineHost{work.id, work.host});
}

void MaintenanceStepper::examine_when_due() {
    const MaintenanceCase& work = active();
    if (work.stage == CaseStage::Examining && !work.stopping && !work.asking &&
        work.forgetting.empty() && work.next_look <= mono())
        examine();
}

void MaintenanceStepper::wait_for(const std::string& what, Duration pause) {
    MaintenanceCase& work = active();
    work.next_look = mono() + pause;
    if (work.awaited != what) note(EntryKind::Event, StepKind::Return, "waits: " + what, false);
    work.awaited = what;
}

void MaintenanceStepper::on(const HostExamined& examined) {
    if (!situation_.active || active().id != examined.incident || !active().asking) return;
    MaintenanceCase& work = active();
    work.asking = false;
    if (work.stopping) return go_on();
    // What is about to be started, or was while the hosts were read, can't be seen yet.
    if (work.replan) return wait_for("domains are being brought back", look_again);
    const Maintenance* mark = find_mark(context_.marks, work.host);
    work.active = active_on(examined.hosts, work.host);
    ReturnQuestion question{context_.inventory, context_.record, work.host, {}};
    if (mark != nullptr) question.away = {mark->domains.begin(), mark->domains.end()};
    judge_back(judge_return(question, examined.hosts));
}

void MaintenanceStepper::judge_back(const ReturnFindings& found) {
    MaintenanceCase& work = active();
    if (!found.unseen.empty()) {
        if (mono() - *work.back_since < back_patience) return wait_for(found.unseen, look_again);
        return close(IncidentState::Failed,
                     found.unseen + "; it stays out of use: `domkeeper return " + work.host +
                         "` tries again",
                     false);
    }
    if (found.twice.empty()) {
        work.twice_since.reset();
    } else {
        if (!work.twice_since) work.twice_since = mono();
        if (mono() - *work.twice_since >= twice_patience) return refuse_back(found.twice);
        return wait_for(found.twice.front().domain + ": " + found.twice.front().text, look_again);
    }
    const bool has_fences = !storage_fences(context_.inventory, work.host).empty();
    if (has_fences && !found.astray.empty()) return refuse_back(found.astray);
    for (const StaleDefinition& stale : found.stale)
        if (work.kept.count(stale.domain) == 0 && work.forgetting.size() < forgotten_at_once)
            forget(stale);
    if (!work.forgetting.empty()) return;
    for (const Refusal& astray : found.astray)
        note_back(EntryKind::Event, astray.domain, astray.text, false);
    for (const std::string& text : found.notes) note_back(EntryKind::Event, {}, text);
    if (has_fences && !work.unfenced) return give_disks_back();
    take_in();
}

/// Nothing touches such a domain, and a host that has one stays as it is, behind its fence.
void MaintenanceStepper::refuse_back(const std::vector<Refusal>& refusals) {
    for (const Refusal& refusal : refusals) {
        note_back(EntryKind::Refusal, refusal.domain,
                  std::string(refusal_kind_name(refusal.kind)) + ": " + refusal.text, false);
        act(TellPeople{"domain " + refusal.domain + ": " + refusal.text + "; end it on " +
                       active().host + " or elsewhere"});
    }
    close(
        IncidentState::Refused,
        "not taken in: " + refusals.front().domain + ": " + refusals.front().text +
            (refusals.size() > 1 ? ", and " + std::to_string(refusals.size() - 1) + " more" : "") +
            "; end it there, then `domkeeper return " + active().host + "`",
        false);
}

void MaintenanceStepper::forget(const StaleDefinition& stale) {
    note_back(EntryKind::Intent, stale.domain,
              std::string("take its definition away: it is shut off here and ") +
                  (stale.runs ? "active" : "defined") + " on " + stale.elsewhere);
    active().forgetting.insert(stale.domain);
    DomainRecord domain;
    if (const DomainRecord* record = context_.record.find_domain(stale.domain)) domain = *record;
    domain.name = stale.domain;
    domain.uuid = stale.uuid;
    act(ForgetDefinition{active().id, active().host, std::move(domain)});
}

void MaintenanceStepper::on(const DefinitionForgotten& forgotten) {
    if (!situation_.active || active().forgetting.erase(forgotten.domain) == 0) return;
    MaintenanceCase& work = active();
    note_back(EntryKind::Outcome, forgotten.domain, forgotten.text, forgotten.done);
    // One that can't be taken away holds nobody up: it is shut off, and people are told.
    if (!forgotten.done) work.kept.insert(forgotten.domain);
    if (work.stopping) return go_on();
    if (work.forgetting.empty()) examine();
}

void MaintenanceStepper::give_disks_back() {
    MaintenanceCase& work = active();
    const std::vector<std::string> devices = storage_fences(context_.inventory, work.host);
    if (!std::exchange(work.unfencing, true))
        note(EntryKind::Intent, StepKind::Return,
             "let it reach its disks again: " + join(devices, ", ") + " on");
    work.asking = true;
    act(Unfence{work.id, work.host, devices, work.active});
}

void MaintenanceStepper::on(const HostUnfenced& unfenced) {
    if (!situation_.active || active().id != unfenced.incident || !active().asking) return;
    MaintenanceCase& work = active();
    work.asking = false;
    // A host registers its own key only when it has started up.
    if (!unfenced.done && !work.stopping && mono() - *work.back_since < back_patience)
        return wait_for("it does not reach its disks (" + unfenced.text + ")", unfence_again);
    note(EntryKind::Outcome, StepKind::Return, unfenced.text, unfenced.done);
    if (work.stopping) return go_on();
    if (!unfenced.done)
        return close(IncidentState::Failed,
                     "it does not reach its disks (" + unfenced.text +
                         "); it stays out of use: `domkeeper return " + work.host + "` tries again",
                     false);
    work.unfenced = true;
    take_in();
}

void MaintenanceStepper::take_in() {
    MaintenanceCase& work = active();
    work.taken_in = true;
    std::string text = "it is trusted again";
    if (!work.kept.empty())
        text += "; definitions that could not be taken away: " +
                join({work.kept.begin(), work.kept.end()}, ", ");
    note(EntryKind::Outcome, StepKind::Return, text);
    MarkChange change{work.host, false, work.goal, work.goal, work.id, away()};
    change.taken_in = true;
    step_.marks.push_back(std::move(change));
    survey();
}

}  // namespace domkeeper
