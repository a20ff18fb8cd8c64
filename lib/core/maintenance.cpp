// SPDX-License-Identifier: GPL-3.0-or-later
// Evacuation and return: from the order to the plan, and the end.
#include "lib/core/maintenance.hpp"

#include <algorithm>

#include "lib/core/balance.hpp"
#include "lib/core/maintenance_stepper.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Domains may be started on the host while it is evacuated; somebody who goes on with that must
/// not keep the worker for ever.
constexpr int max_surveys = 6;
constexpr std::size_t gaps_shown = 3;

bool is_final(const MoveCase& move) {
    return move.phase == MovePhase::Moved || move.phase == MovePhase::Refused;
}

bool is_planned(const MaintenancePlan& plan, const std::string& domain) {
    return std::any_of(plan.moves.begin(), plan.moves.end(),
                       [&](const PlannedMove& move) { return move.domain == domain; });
}

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

// ---- the plan -------------------------------------------------------------------------------

void MaintenanceStepper::survey() {
    if (is_untrusted()) return examine();
    MaintenanceCase& work = active();
    work.stage = CaseStage::Surveying;
    work.replan = context_.others_first();
    ++work.surveys;
    const Maintenance* mark = find_mark(context_.marks, work.host);
    work.stays = mark != nullptr && mark->stay;
    take_survey();
}

void MaintenanceStepper::take_survey() {
    const MaintenanceCase& work = active();
    SurveyOrder order{work.host, work.goal, {}};
    if (work.goal == MaintenancePhase::Returning && !work.stays)
        order.domains = {work.away.begin(), work.away.end()};
    act(TakeSurvey{work.id, std::move(order)});
}

void MaintenanceStepper::on(const Surveyed& surveyed) {
    if (!situation_.active || active().id != surveyed.incident) return;
    active().surveyed_at = mono();
    if (active().rechecking) return recheck(surveyed.survey);
    if (active().stage != CaseStage::Surveying) return;
    MaintenanceCase& work = active();
    work.stage = CaseStage::Moving;
    const auto reading = surveyed.survey.hosts.find(work.host);
    const bool read = reading != surveyed.survey.hosts.end() && reading->second.view;
    if (!read && work.host != whole_cluster) {
        const std::string why =
            reading == surveyed.survey.hosts.end() ? "it was not read" : reading->second.why;
        note(EntryKind::Refusal, StepKind::Observe, work.host + " does not answer: " + why, false);
        // A host that nothing has left yet is in use as before.
        const bool unmark = work.goal == MaintenancePhase::Evacuating && work.away.empty();
        if (unmark) act(EndDowntime{work.host});
        return close(IncidentState::Failed,
                     work.host + " does not answer (" + why + ")" +
                         (unmark ? ": nothing was moved"
                                 : "; it stays in maintenance: `domkeeper return " + work.host +
                                       "` ends that"),
                     unmark);
    }
    if (work.replan) {
        note(EntryKind::Event, StepKind::Plan,
             "domains were brought back while the hosts were read; they are read again after that");
        return go_on();
    }
    take_plan(plan_again(surveyed.survey), surveyed.survey);
}

/// While others move, the targets of those that wait for their turn may change. What is wrong then
/// is planned anew when nothing moves any more.
void MaintenanceStepper::recheck(const Survey& survey) {
    MaintenanceCase& work = active();
    work.rechecking = false;
    std::vector<PlannedMove> waiting;
    for (const std::string& name : work.turns)
        if (const MoveCase& move = work.moves.at(name); move.phase == MovePhase::Waiting)
            waiting.push_back({name, move.from, move.to, move.way, move.memory, {}});
    const std::string outdated = outdated_move(question(), survey, waiting);
    if (!outdated.empty()) {
        work.replan = true;
        const MoveCase& move = work.moves.at(outdated);
        note(move, EntryKind::Event, move.to + " has no place for it any more: it is planned anew");
    }
    go_on();
}

MaintenanceQuestion MaintenanceStepper::question() const {
    const MaintenanceCase& work = *situation_.active;
    MaintenanceQuestion question{context_.inventory,  work.host, work.goal,
                                 context_.recovering, {},        situation_.moving()};
    for (const Maintenance& mark : context_.marks)
        if (mark.host != work.host) question.closed.insert(mark.host);
    question.record = &context_.record;
    for (const auto& [name, move] : work.moves) question.avoid[name] = move.failed_on;
    return question;
}

MaintenancePlan MaintenanceStepper::plan_again(const Survey& survey) {
    const MaintenanceCase& work = active();
    MaintenanceQuestion question = this->question();
    if (work.goal == MaintenancePhase::Balancing) {
        // What could not be moved, or moved already, is left alone.
        for (const auto& [name, move] : work.moves)
            for (const Host& host : context_.inventory.hosts)
                if (is_final(move)) question.avoid[name].insert(host.name);
        return plan_balance(question, survey);
    }
    MaintenancePlan plan = plan_moves(question, survey);
    // Where no other host will do, the one where a move failed is tried once more: it is the way
    // between the two that fails most often, and only for a moment.
    bool again = false;
    for (const Refusal& refusal : plan.refusals) {
        const auto move = work.moves.find(refusal.domain);
        if (move != work.moves.end() && move->second.attempts < move_attempts &&
            !move->second.failed_on.empty())
            again = question.avoid.erase(refusal.domain) != 0 || again;
    }
    if (again) plan = plan_moves(question, survey);
    return plan;
}

void MaintenanceStepper::note_plan(const MaintenancePlan& plan) {
    const auto entry = [&](EntryKind kind, const PlannedMove& move) {
        step_.entries.push_back({active().id, context_.now.wall, kind, StepKind::Plan, move.from,
                                 move.domain, move.to, true,
                                 std::string(move_way_name(move.way)) + ": " + move.reason});
    };
    for (const PlannedMove& move : plan.moves) entry(EntryKind::Decision, move);
    for (const Refusal& refusal : plan.refusals)
        step_.entries.push_back(
            {active().id,
             context_.now.wall,
             EntryKind::Refusal,
             StepKind::Plan,
             active().host,
             refusal.domain,
             {},
             false,
             std::string(refusal_kind_name(refusal.kind)) + ": " + refusal.text});
    if (active().goal != MaintenancePhase::Evacuating || active().begun) return;
    std::size_t shown = 0;
    for (const Loss& gap : plan.gaps) {
        if (++shown > gaps_shown) break;
        note(EntryKind::Event, StepKind::Plan,
             "without it no further host may be lost: " + explain_loss(gap), false);
    }
    if (plan.gaps.empty())
        note(EntryKind::Event, StepKind::Plan, "without it any one further host may still be lost");
}

/// Whether the first plan is good enough for what was ordered; closes the case when not.
bool MaintenanceStepper::take_on(const MaintenancePlan& plan, const Maintenance& mark) {
    std::string why;
    if (!plan.refusals.empty() && !mark.partial) {
        why = counted(plan.refusals.size(), "domain") + " can't leave, first " +
              plan.refusals.front().domain + " (" + plan.refusals.front().text +
              "); --partial moves the others";
    } else if (mark.keep_spare && !plan.gaps.empty()) {
        why = "the rest could lose no further host then: " + explain_loss(plan.gaps.front());
    }
    if (why.empty()) return true;
    act(EndDowntime{active().host});
    close(IncidentState::Refused, "nothing was moved: " + why, active().away.empty());
    return false;
}

void MaintenanceStepper::take_plan(const MaintenancePlan& plan, const Survey& survey) {
    MaintenanceCase& work = active();
    note_plan(plan);
    const Maintenance* mark = find_mark(context_.marks, work.host);
    if (!work.begun && work.goal == MaintenancePhase::Evacuating && mark != nullptr &&
        !take_on(plan, *mark))
        return;
    if (!work.begun)
        note(EntryKind::Decision, StepKind::Plan,
             plan.moves.empty() ? "nothing is to be moved"
                                : counted(plan.moves.size(), "domain") + " to move, " +
                                      std::to_string(policy().moves_at_once) + " at once");
    work.begun = true;
    // For an even load no single domain has to move: what was tried and has no better place now is
    // left where it is.
    if (work.goal == MaintenancePhase::Balancing)
        for (auto& [name, move] : work.moves)
            if (move.phase == MovePhase::Waiting && move.attempts > 0 && !is_planned(plan, name))
                move.phase = MovePhase::Refused;
    // What waited for its turn and is off or gone meanwhile has nowhere to be moved from.
    std::erase_if(work.moves, [&](const auto& item) {
        return item.second.phase == MovePhase::Waiting && !is_planned(plan, item.first);
    });
    work.turns.clear();
    // What was refused for a reason that may have passed is judged again from what was read.
    std::erase_if(work.moves, [](const auto& item) {
        return item.second.phase == MovePhase::Refused && item.second.attempts == 0;
    });
    for (const Refusal& refusal : plan.refusals) {
        MoveCase& move = work.moves[refusal.domain];
        move.record.name = refusal.domain;
        move.phase = MovePhase::Refused;
        move.refusal = refusal;
        // Of one that was tried, the hypervisor's own words say more than "no further host".
        if (!move.why.empty()) move.refusal->text = move.why;
    }
    for (const PlannedMove& planned : plan.moves) {
        MoveCase& move = work.moves[planned.domain];
        if (move.phase == MovePhase::Refused && move.attempts > 0) continue;
        const MoveFacts& facts = survey.domains.at(planned.domain);
        if (const DomainRecord* record = context_.record.find_domain(planned.domain))
            move.record = *record;
        move.record.name = planned.domain;
        move.record.uuid = facts.view.uuid;
        move.record.persistent = facts.view.persistent;
        move.from = planned.from;
        move.to = planned.to;
        move.way = planned.way;
        move.memory = planned.memory;
        move.phase = MovePhase::Waiting;
        work.turns.push_back(planned.domain);
        if (work.goal == MaintenancePhase::Evacuating) work.away.insert(planned.domain);
    }
    write_mark(work.goal);
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
                                     [](const auto& item) { return !is_final(item.second); });
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
