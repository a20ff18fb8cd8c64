// SPDX-License-Identifier: GPL-3.0-or-later
// Evacuation and return: what is read of the hosts, and the plan that is made from it.
#include <algorithm>

#include "lib/core/balance.hpp"
#include "lib/core/maintenance_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t gaps_shown = 3;

bool is_planned(const MaintenancePlan& plan, const std::string& domain) {
    return std::any_of(plan.moves.begin(), plan.moves.end(),
                       [&](const PlannedMove& move) { return move.domain == domain; });
}

}  // namespace

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
        const auto target = survey.hosts.find(move.to);
        const bool is_read = target != survey.hosts.end() && target->second.view;
        note(move, EntryKind::Event,
             move.to + (is_read ? " has no place for it any more" : " does not answer") +
                 ": it is planned anew");
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
                if (move.is_final()) question.avoid[name].insert(host.name);
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

}  // namespace domkeeper
