// SPDX-License-Identifier: GPL-3.0-or-later
// Evacuation and return: the order, and the end.
#include "lib/core/maintenance.hpp"

#include <algorithm>

#include "lib/core/maintenance_stepper.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Domains may be started on the host while it is evacuated; somebody who goes on with that must
/// not keep the worker for ever.
constexpr int max_surveys = 6;

}  // namespace

MaintenanceStep advance_maintenance(MaintenanceSituation& situation, const MaintenanceEvent& event,
                                    const MaintenanceContext& context) {
    // While others bring domains somewhere, what is read of the hosts and planned from it is soon
    // out of date, also when they are done before the reading is.
    if (situation.active && context.others_first()) situation.active->replan = true;
    MaintenanceStepper stepper(situation, context);
    std::visit([&](const auto& e) { stepper.on(e); }, event);
    return stepper.take();
}

const Maintenance* find_mark(const std::vector<Maintenance>& marks, const std::string& host) {
    for (const Maintenance& mark : marks)
        if (mark.host == host) return &mark;
    return nullptr;
}

std::map<std::string, Moving> MaintenanceSituation::moving() const {
    std::map<std::string, Moving> all;
    if (!active) return all;
    for (const auto& [name, move] : active->moves)
        if (move.phase == MovePhase::Moving || move.phase == MovePhase::Unsure)
            all[name] = {move.from, move.to, move.memory};
    return all;
}

std::map<std::string, Moving> MaintenanceSituation::planned() const {
    std::map<std::string, Moving> all = moving();
    if (!active) return all;
    for (const auto& [name, move] : active->moves)
        if (move.phase == MovePhase::Waiting) all[name] = {move.from, move.to, move.memory};
    return all;
}

void MaintenanceStepper::note(EntryKind kind, StepKind step, const std::string& text, bool ok) {
    step_.entries.push_back(
        {active().id, context_.now.wall, kind, step, active().host, {}, {}, ok, text});
}

void MaintenanceStepper::note(const MoveCase& move, EntryKind kind, const std::string& text,
                              bool ok) {
    step_.entries.push_back({active().id, context_.now.wall, kind, StepKind::Move, move.from,
                             move.record.name, move.to, ok, text});
}

std::vector<std::string> MaintenanceStepper::away() const {
    std::set<std::string> all = situation_.active->away;
    // It may have been fenced meanwhile: those who left it by that count, too.
    const Maintenance* mark = find_mark(context_.marks, situation_.active->host);
    if (mark != nullptr && mark->fenced) all.insert(mark->domains.begin(), mark->domains.end());
    return {all.begin(), all.end()};
}

void MaintenanceStepper::write_mark(MaintenancePhase phase) {
    step_.marks.push_back({active().host, false, active().goal, phase, active().id, away()});
}

StepKind MaintenanceStepper::whole_step() const {
    switch (situation_.active->goal) {
        case MaintenancePhase::Evacuating:
        case MaintenancePhase::Held: break;
        case MaintenancePhase::Returning: return StepKind::Return;
        case MaintenancePhase::Balancing: return StepKind::Balance;
    }
    return StepKind::Evacuate;
}

// ---- orders ---------------------------------------------------------------------------------

std::optional<std::string> MaintenanceStepper::objection(const std::string& host) const {
    if (host != whole_cluster && context_.inventory.find_host(host) == nullptr)
        return "no host of that name is in the cluster file";
    if (!context_.arming.no_seat.empty()) return context_.arming.no_seat;
    if (!context_.arming.armed_at(context_.now.wall))
        return "disarmed" +
               (context_.arming.reason.empty() ? "" : " (" + context_.arming.reason + ")") +
               ": nothing may be moved; `domkeeper arm` ends it";
    return std::nullopt;
}

void MaintenanceStepper::on(const MaintenanceTick&) {
    if (situation_.active) {
        check_orders();
        if (situation_.active) look_again_when_due();
        if (situation_.active) examine_when_due();
        if (situation_.active) go_on();
        return;
    }
    for (const Maintenance& mark : context_.marks)
        if (mark.has_work()) return begin(mark);
}

void MaintenanceStepper::begin(const Maintenance& mark) {
    MaintenanceCase fresh;
    fresh.host = mark.host;
    fresh.id = context_.next_incident;
    fresh.goal = mark.phase;
    fresh.away = {mark.domains.begin(), mark.domains.end()};
    situation_.active = std::move(fresh);
    Incident incident;
    incident.id = active().id;
    incident.host = mark.host;
    incident.opened = context_.now.wall;
    step_.opened.push_back(incident);
    const bool evacuates = mark.phase == MaintenancePhase::Evacuating;
    const bool balances = mark.phase == MaintenancePhase::Balancing;
    note(EntryKind::Event, whole_step(),
         mark.who +
             (balances    ? " wants the load evened out"
              : evacuates ? " wants it empty"
                          : " wants it back in use") +
             (mark.reason.empty() ? "" : ": " + mark.reason));
    if (mark.stop) return stop("somebody stopped it before it began");
    if (const auto why = objection(mark.host)) {
        note(EntryKind::Refusal, whole_step(), *why, false);
        // A host that was never evacuated is not marked for an order that could not be followed.
        return close(IncidentState::Refused, "nothing was done: " + *why,
                     balances || (evacuates && mark.domains.empty() && !mark.fenced));
    }
    write_mark(mark.phase);
    if (evacuates) act(BeginDowntime{mark.host, mark.who, "domkeeper evacuates it"});
    survey();
}

void MaintenanceStepper::on(const MaintenanceResumed& resumed) {
    MaintenanceCase kept;
    kept.host = resumed.incident.host;
    kept.id = resumed.incident.id;
    const Maintenance* mark = find_mark(context_.marks, kept.host);
    if (mark != nullptr) kept.away = {mark->domains.begin(), mark->domains.end()};
    for (const JournalEntry& entry : resumed.entries) {
        if (entry.step == StepKind::Return && entry.domain.empty())
            kept.goal = MaintenancePhase::Returning;
        if (entry.step == StepKind::Balance) kept.goal = MaintenancePhase::Balancing;
        if (entry.step == StepKind::Plan && entry.kind == EntryKind::Decision && entry.ok)
            kept.begun = true;
        if (entry.step != StepKind::Move) continue;
        MoveCase& move = kept.moves[entry.domain];
        move.record.name = entry.domain;
        if (entry.kind == EntryKind::Intent) {
            move.from = entry.host;
            move.to = entry.target;
            move.way =
                parse_move_way(entry.text.substr(0, entry.text.find(' '))).value_or(MoveWay::Live);
            move.phase = MovePhase::Unsure;
        } else if (entry.kind == EntryKind::Outcome) {
            // An outcome that names the source as its target: it stays there, by nobody's fault.
            move.phase = entry.target == entry.host ? MovePhase::Waiting : MovePhase::Moved;
            if (!entry.ok) {
                move.phase = MovePhase::Waiting;
                ++move.attempts;
                move.failed_on.insert(entry.target);
                move.why = entry.text;
            }
        } else if (entry.kind == EntryKind::Refusal && move.phase == MovePhase::Waiting) {
            // Given up, so it is no longer ours. What nobody could find is looked for again.
            move.phase = MovePhase::Refused;
            move.refusal = Refusal{RefusalKind::MoveFailed, entry.domain, {}, {}, move.why};
        }
    }
    situation_.active = std::move(kept);
    active().stage = CaseStage::Settling;
    note(EntryKind::Event, StepKind::None, "its worker was killed; this one goes on with it");
    for (auto& [name, move] : active().moves) {
        if (const DomainRecord* record = context_.record.find_domain(name)) move.record = *record;
        move.memory = move.record.memory;
        // Killed between the outcome and the record of it.
        if (move.phase == MovePhase::Moved && move.record.host == move.from)
            act(RecordMove{name, move.to});
        move.since = move.next_look = mono();
    }
    check_orders();
    if (!situation_.active) return;
    look_again_when_due();
    go_on();
}

void MaintenanceStepper::check_orders() {
    const Maintenance* mark = find_mark(context_.marks, active().host);
    if (active().stopping) return;
    if (mark == nullptr || mark->phase != active().goal)
        return stop(mark != nullptr && mark->phase == MaintenancePhase::Returning
                        ? "the host is to return instead"
                        : "the order was taken back");
    if (mark->stop) return stop("somebody stopped it");
    if (const auto why = objection(active().host)) return stop(*why);
}

void MaintenanceStepper::stop(const std::string& why) {
    active().stopping = true;
    active().stop_reason = why;
    note(EntryKind::Event, whole_step(), "no further move begins: " + why);
    cancel_all();
    go_on();
}

// ---- the end --------------------------------------------------------------------------------

void MaintenanceStepper::go_on() {
    MaintenanceCase& work = active();
    if (work.asking || work.rechecking || !work.forgetting.empty()) return;
    const bool looks = work.stage == CaseStage::Surveying || work.stage == CaseStage::Examining;
    if (looks && !work.stopping) return;
    if (!work.stopping && work.stage == CaseStage::Moving) start_ready();
    if (under_way()) return;
    if (work.stopping)
        return close(
            IncidentState::Stopped,
            "stopped: " + work.stop_reason + "; " +
                (work.goal == MaintenancePhase::Balancing ? "`domkeeper balance --execute` goes on"
                 : work.goal == MaintenancePhase::Returning
                     ? "`domkeeper return " + work.host + "` goes on"
                     : "it stays in maintenance; `domkeeper evacuate " + work.host +
                           "` goes on, `domkeeper return " + work.host + "` ends it"),
            work.goal == MaintenancePhase::Balancing);
    // A recovery goes first; what it moved or started is seen by the survey after it.
    if (context_.others_first()) return;
    if (work.stage == CaseStage::Settling || work.replan) return survey();
    const bool waiting = std::any_of(work.moves.begin(), work.moves.end(),
                                     [](const auto& item) { return !item.second.is_final(); });
    if (!waiting) finish();
}

void MaintenanceStepper::finish() {
    MaintenanceCase& work = active();
    const bool back = work.goal == MaintenancePhase::Returning;
    const auto moved = static_cast<std::size_t>(
        std::count_if(work.moves.begin(), work.moves.end(),
                      [](const auto& item) { return item.second.phase == MovePhase::Moved; }));
    std::vector<std::string> missing;
    for (const auto& [name, move] : work.moves)
        if (move.phase == MovePhase::Refused && move.refusal)
            missing.push_back(name + " (" + move.refusal->text + ")");
    // Somebody wanted the domains back while the hosts were read for a return without them.
    const Maintenance* const mark = find_mark(context_.marks, work.host);
    if (back && work.stays && mark != nullptr && !mark->stay) return survey();
    // Whether it is empty is said by a look after the last move, not by the moves.
    const bool looked = work.turns.empty();
    if (!back && missing.empty() && !looked && work.surveys < max_surveys) return survey();
    std::string text;
    if (work.goal == MaintenancePhase::Balancing) {
        // What was left where it is matters when nothing came of the whole.
        for (const auto& [name, move] : work.moves)
            if (moved == 0 && move.phase == MovePhase::Refused && !move.refusal)
                missing.push_back(name + " (" + move.why + ")");
        text = moved == 0 ? missing.empty() ? "nothing was to be moved" : "nothing was moved"
                          : counted(moved, "domain") + " moved";
        if (!missing.empty()) text += "; not: " + join(missing, ", ");
        return close(missing.empty() ? IncidentState::Balanced : IncidentState::Partial, text,
                     true);
    }
    if (back) {
        text = "in use again; " + counted(moved, "domain") + " came back";
    } else {
        text = counted(moved, "domain") + " moved away";
        text += missing.empty() && looked ? "; it is empty" : "; it is NOT empty";
    }
    if (!missing.empty()) text += (back ? "; not: " : "; there stay ") + join(missing, ", ");
    if (back) {
        act(EndDowntime{work.host});
        return close(missing.empty() ? IncidentState::Returned : IncidentState::Partial, text,
                     true);
    }
    close(missing.empty() && looked ? IncidentState::Evacuated : IncidentState::Partial, text,
          false);
}

void MaintenanceStepper::close(IncidentState state, const std::string& summary, bool remove_mark) {
    const bool good = state == IncidentState::Evacuated || state == IncidentState::Returned ||
                      state == IncidentState::Balanced;
    note(EntryKind::Decision, StepKind::Close, summary, good);
    Incident incident;
    incident.id = active().id;
    incident.host = active().host;
    incident.closed = context_.now.wall;
    incident.state = state;
    incident.summary = summary;
    step_.closed.push_back(incident);
    const Maintenance* mark = find_mark(context_.marks, active().host);
    const bool untrusted = mark != nullptr && mark->fenced && !active().taken_in;
    step_.marks.push_back({active().host, remove_mark && !untrusted, active().goal,
                           MaintenancePhase::Held, active().id, away()});
    // People stand beside it; only what they would not expect is worth a message.
    if (!good && state != IncidentState::Stopped)
        act(TellPeople{"maintenance of " + active().host + ", incident " +
                       std::to_string(active().id) + ", " +
                       std::string(incident_state_name(state)) + ": " + summary});
    situation_.active.reset();
}

}  // namespace domkeeper
