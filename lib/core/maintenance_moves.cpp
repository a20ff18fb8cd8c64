// SPDX-License-Identifier: GPL-3.0-or-later
// The moves of an evacuation or return: whose turn it is, and where a domain is after its move.
#include <algorithm>

#include "lib/core/maintenance_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr int max_clean_ups = 10;
constexpr Duration look_again{1'000};
constexpr Duration told_time{5'000};
/// So long the ends of a move are asked for, beyond any recovery of one of them.
constexpr Duration side_patience{120'000};
/// A host that leads the move itself (libxl) lets its own end go only after the other one runs, and
/// still calls it running meanwhile: on a busy machine for seconds.
constexpr Duration twice_patience{30'000};
/// A target that does not answer is asked for so long before the domain is taken to be there. The
/// recovery of an end waits for longer.
constexpr Duration target_patience{20'000};
/// What was read of the hosts longer ago is read again before a move begins.
constexpr Duration survey_max_age{5'000};

}  // namespace

MoveCase* MaintenanceStepper::find_move(const std::string& domain) {
    if (!situation_.active) return nullptr;
    const auto found = active().moves.find(domain);
    return found == active().moves.end() ? nullptr : &found->second;
}

bool MaintenanceStepper::under_way() const {
    const auto& moves = situation_.active->moves;
    return std::any_of(moves.begin(), moves.end(), [](const auto& item) {
        return item.second.phase == MovePhase::Moving || item.second.phase == MovePhase::Unsure;
    });
}

void MaintenanceStepper::start_ready() {
    MaintenanceCase& work = active();
    // A recovery goes first; what it leaves of the plan is seen by another look.
    if (work.replan) return;
    int busy = 0;
    for (const auto& [name, move] : work.moves)
        busy += move.phase == MovePhase::Moving || move.phase == MovePhase::Unsure ? 1 : 0;
    for (const std::string& name : work.turns) {
        MoveCase& move = work.moves.at(name);
        if (move.phase != MovePhase::Waiting) continue;
        if (busy >= policy().moves_at_once) return;
        if (mono() - work.surveyed_at > survey_max_age) {
            work.rechecking = true;
            return take_survey();
        }
        ++busy;
        move.phase = MovePhase::Moving;
        move.cancelled = false;
        move.clean_ups = move.aborts = 0;
        note(move, EntryKind::Intent,
             std::string(move_way_name(move.way)) + " to " + move.to + ", " +
                 render_bytes(move.memory));
        act(MoveDomain{move.record, move.from, move.to, move.way});
    }
}

void MaintenanceStepper::cancel_all() {
    for (auto& [name, move] : active().moves)
        if (move.phase == MovePhase::Moving && !move.cancelled) {
            move.cancelled = true;
            act(CancelMove{name});
        }
}

void MaintenanceStepper::on(const MoveEnded& ended) {
    MoveCase* move = find_move(ended.domain);
    if (move == nullptr || move->phase != MovePhase::Moving || move->to != ended.to) return;
    if (ended.done) {
        at_target(*move, ended.text);
    } else {
        note(*move, EntryKind::Event, ended.text, false);
        move->why = ended.text;
        move->phase = MovePhase::Unsure;
        move->since = mono();
        look(*move);
    }
    go_on();
}

// ---- where is it? -----------------------------------------------------------------------------

void MaintenanceStepper::look(MoveCase& move) {
    move.busy = true;
    act(LookAtSides{move.record, move.from, move.to, context_.off});
}

void MaintenanceStepper::look_again_when_due() {
    for (auto& [name, move] : active().moves) {
        const bool dead = context_.off.count(move.from) != 0 || context_.off.count(move.to) != 0;
        // A call to a host without power would only end with its deadline.
        if (move.phase == MovePhase::Moving && dead && !move.cancelled) {
            move.cancelled = true;
            act(CancelMove{name});
        }
        if (move.phase == MovePhase::Unsure && !move.busy && move.next_look <= mono()) look(move);
    }
}

void MaintenanceStepper::on(const SidesRead& sides) {
    MoveCase* move = find_move(sides.domain);
    if (move == nullptr || move->phase != MovePhase::Unsure) return;
    move->busy = false;
    move->next_look = mono() + look_again;
    settle(*move, sides);
    if (situation_.active) go_on();
}

void MaintenanceStepper::on(const CleanedUp& cleaned) {
    MoveCase* move = find_move(cleaned.domain);
    if (move == nullptr || move->phase != MovePhase::Unsure) return;
    // A migration that can't be ended is asked again and again; that is told of for a while.
    const bool aborted = cleaned.what == CleanUp::Abort;
    if ((cleaned.done && !aborted) || mono() - move->since < told_time)
        note(*move, EntryKind::Event, cleaned.text, cleaned.done);
    move->busy = false;
    // libvirt may say that it ended a migration which then goes on.
    const bool at_once = cleaned.done && (!aborted || move->aborts == 1);
    move->next_look = mono() + (at_once ? Duration{0} : look_again);
    if (at_once) look(*move);
    go_on();
}

void MaintenanceStepper::settle(MoveCase& move, const SidesRead& sides) {
    const bool from_off = context_.off.count(move.from) != 0;
    const bool to_off = context_.off.count(move.to) != 0;
    const std::string seen = std::string(side_state_name(sides.from)) + " on " + move.from + ", " +
                             std::string(side_state_name(sides.to)) + " on " + move.to;
    const SidesVerdict verdict = judge_sides(sides.from, sides.to, from_off, to_off);
    const bool target_unseen = verdict == SidesVerdict::TakenAtTarget && !to_off;
    if (verdict != SidesVerdict::Twice && !target_unseen)
        move.doubt_since.reset();
    else if (!move.doubt_since)
        move.doubt_since = mono();
    switch (verdict) {
        case SidesVerdict::AtTarget: return at_target(move, "it is there: " + seen);
        case SidesVerdict::AtSource:
            if (sides.to == SideState::Unreachable && !to_off)
                note(move, EntryKind::Event,
                     move.to +
                         " does not answer: a copy that never ran may be left there until "
                         "its libvirt sees that this end is gone",
                     false);
            return at_source(move);
        case SidesVerdict::Nowhere: return nowhere(move);
        case SidesVerdict::Twice:
            if (mono() - *move.doubt_since < twice_patience) return;
            act(TellPeople{"domain " + move.record.name + ": " + seen + "; stop one of them"});
            return refuse(move, RefusalKind::RunsTwice, seen);
        case SidesVerdict::CleanTarget: return clean(move, move.to, CleanUp::Discard);
        case SidesVerdict::CleanSource: return clean(move, move.from, CleanUp::Discard);
        case SidesVerdict::ResumeSource: return clean(move, move.from, CleanUp::Resume);
        case SidesVerdict::AbortAtSource:
            // libxl can't end a move: it comes to its end by itself.
            if (mono() - move.since < policy().move_time)
                return clean(move, move.from, CleanUp::Abort);
            break;
        case SidesVerdict::TakenAtTarget:
            if (target_unseen && mono() - *move.doubt_since < target_patience) return;
            return at_target(move,
                             "gone from " + move.from + ", so it is taken to be there: " + seen);
        case SidesVerdict::Wait: break;
    }
    const bool recovered_now =
        context_.recovering.count(move.from) != 0 || context_.recovering.count(move.to) != 0;
    if (recovered_now || mono() - move.since < side_patience) return;
    // Whoever could have let the copy run is gone for as long, and its source with it.
    if (sides.from == SideState::Absent && sides.to == SideState::Half)
        return clean(move, move.to, CleanUp::Discard);
    act(TellPeople{"domain " + move.record.name +
                   ": after its move nobody can say where it is: " + seen});
    refuse(move, RefusalKind::MoveUnknown, seen);
}

void MaintenanceStepper::clean(MoveCase& move, const std::string& host, CleanUp what) {
    if (what != CleanUp::Abort && ++move.clean_ups > max_clean_ups)
        return refuse(move, RefusalKind::MoveUnknown,
                      "what was left over on " + host +
                          " can't be cleaned up; last try: " + std::string(clean_up_name(what)));
    if (what != CleanUp::Abort || mono() - move.since < told_time)
        note(move, EntryKind::Event, "on " + host + ": " + std::string(clean_up_name(what)));
    move.busy = true;
    if (what == CleanUp::Abort) ++move.aborts;
    act(CleanUpSide{move.record, host, what});
}

// ---- how it ended -----------------------------------------------------------------------------

void MaintenanceStepper::at_target(MoveCase& move, const std::string& text) {
    note(move, EntryKind::Outcome, text);
    move.phase = MovePhase::Moved;
    act(RecordMove{move.record.name, move.to});
}

void MaintenanceStepper::at_source(MoveCase& move) {
    const std::string why = move.why.empty() ? "its worker was killed" : move.why;
    const std::string text = "it stays on " + move.from + ": " + why;
    move.phase = MovePhase::Waiting;
    active().replan = true;
    // A move that was asked to end, or whose worker was killed, did not fail.
    if (move.cancelled || move.why.empty()) {
        MoveCase stays = move;
        stays.to = move.from;
        return note(stays, EntryKind::Outcome, text);
    }
    note(move, EntryKind::Outcome, text, false);
    ++move.attempts;
    move.failed_on.insert(move.to);
    if (move.attempts >= move_attempts) refuse(move, RefusalKind::MoveFailed, why);
}

void MaintenanceStepper::nowhere(MoveCase& move) {
    if (context_.off.count(move.from) != 0) {
        note(move, EntryKind::Outcome, move.from + " died before it was moved", false);
        return refuse(move, RefusalKind::OtherIncident,
                      move.from + " died; its incident cares for it");
    }
    if (move.way == MoveWay::Restart && !active().stopping && move.attempts < move_attempts) {
        // It was shut down for its move, so its start is still owed.
        ++move.attempts;
        note(move, EntryKind::Intent, "restart on " + move.to + ": it is shut down already");
        move.phase = MovePhase::Moving;
        return act(MoveDomain{move.record, move.from, move.to, move.way});
    }
    const std::string text = "it runs neither on " + move.from + " nor on " + move.to;
    note(move, EntryKind::Outcome, text, false);
    act(TellPeople{"domain " + move.record.name + ": " + text + " after its move"});
    refuse(move, RefusalKind::MoveFailed, text + (move.why.empty() ? "" : ": " + move.why));
}

void MaintenanceStepper::refuse(MoveCase& move, RefusalKind kind, const std::string& why) {
    move.phase = MovePhase::Refused;
    move.attempts = std::max(move.attempts, 1);
    move.refusal = Refusal{kind, move.record.name, std::nullopt, std::nullopt, why};
    note(move, EntryKind::Refusal, std::string(refusal_kind_name(kind)) + ": " + why, false);
}

std::optional<Instant> next_wake(const MaintenanceSituation& situation) {
    std::optional<Instant> next;
    if (!situation.active) return next;
    for (const auto& [name, move] : situation.active->moves)
        if (move.phase == MovePhase::Unsure && !move.busy && (!next || move.next_look < *next))
            next = move.next_look;
    return next;
}

}  // namespace domkeeper
