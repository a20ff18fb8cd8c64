// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "lib/core/recovery.hpp"

namespace domkeeper {

/// One call of advance(): the situation, what it may look at, and what it has to say so far.
/// Inner part of recovery.cpp (look and fence), recovery_place.cpp (plan), recovery_turns.cpp
/// (start), recovery_room.cpp (who waits, who is stopped for whom), recovery_verify.cpp and
/// recovery_answer.cpp (does it run, does its guest answer).
class RecoveryStepper {
  public:
    RecoveryStepper(Situation& situation, const RecoveryContext& context)
        : situation_(situation), context_(context) {}

    void on(const HostReported& reported);
    void on(const Resumed& resumed);
    void on(const SuspectLooked& looked);
    void on(const PeersLooked& looked);
    void on(const StorageLooked& looked);
    void on(const EvacuationOrdered& ordered);
    void on(const Observed& observed);
    void on(const PowerRead& read);
    void on(const FenceEnded& ended);
    void on(const StartEnded& ended);
    void on(const GuestAsked& asked);
    void on(const DomainStopped& stopped);
    void on(const Tick& tick);

    /// After each event: whoever waited is placed or has its turn, and what is through is closed.
    void go_on();
    RecoveryStep take() { return std::move(step_); }

  private:
    // recovery.cpp: from the report to the proof
    HostCase& open(const HostEvent& event);
    void note_confirmation(const HostCase& host_case);
    void refuse_event(const HostEvent& event, const std::string& why, bool with_incident);
    void begin_look(HostCase& host_case);
    void judge_look(HostCase& host_case);
    void judge_silence(HostCase& host_case);
    void answered(HostCase& host_case, const std::string& evidence);
    void fence_next(HostCase& host_case);
    void saw_off(HostCase& host_case);
    void proved_off(HostCase& host_case);
    bool proof_suffices(const HostCase& host_case) const;

    // recovery_guards.cpp: what keeps from fencing too many, too often or too early
    bool is_being_fenced(const HostCase& host_case) const;
    std::vector<std::string> lost_together(const HostCase& host_case) const;
    std::optional<std::string> too_many(const HostCase& host_case,
                                        const std::vector<std::string>& lost) const;
    std::optional<std::string> too_often(const HostCase& host_case) const;
    void look_when_quiet(HostCase& host_case);

    // recovery_fenced.cpp: what is remembered of a fenced host
    void mark_fenced(HostCase& host_case);
    const Maintenance* fenced_mark(const std::string& host) const;
    void order_return(const std::string& host);
    void host_up(const HostEvent& event);
    void return_if_up(const HostCase& host_case);

    // recovery_storage.cpp: a fault of the storage is none of the host
    void report_storage_lost(const HostEvent& event);
    bool storage_awaited(const HostCase& host_case) const;
    bool stands_still(HostCase& host_case);
    void look_while_standing(HostCase& host_case);
    void go_on_when_back(HostCase& host_case);
    void judge_storage_lost(HostCase& host_case);
    std::optional<std::string> all_stranded(const HostCase& host_case) const;
    std::optional<std::string> lost_by_all(const HostCase& host_case) const;
    std::optional<std::string> stranded_now(const HostCase& host_case,
                                            const DomainRecord& domain) const;

    // recovery_place.cpp: from the proof to the start
    void begin_observing(HostCase& host_case);
    /// The hosts are read anew, then what has no place yet is planned.
    void observe_again(HostCase& host_case);
    void request_view(const std::string& host, Duration limit);
    Coverage proved(const std::string& host) const;
    bool is_off(const std::string& host) const;
    bool is_cut_off(const std::string& host, const DomainRecord& domain) const;
    bool views_complete(HostCase& host_case);
    std::optional<std::string> undecided_group(const DomainCase& domain) const;
    void place_when_decided();
    void leave_emptied_hosts();
    bool awaits_peer(HostCase& host_case, DomainCase& domain, const Refusal& objection);
    void look_for_awaited_peers(HostCase& host_case);
    bool awaits_group(HostCase& host_case, const DomainCase& domain);
    bool is_held(const HostCase& host_case, const std::string& domain) const;
    void hold_moving(HostCase& host_case);
    void heed_ended_moves(HostCase& host_case);
    void plan_when_seen();
    void plan(HostCase& host_case);
    void take_wanted(HostCase& host_case);
    std::optional<IncidentId> claimed_by(const HostCase& host_case, const std::string& name) const;
    bool find_running(HostCase& host_case, DomainCase& domain);
    std::optional<Refusal> unseen_objection(const HostCase& host_case,
                                            const DomainCase& domain) const;
    void place(HostCase& host_case);
    bool has_other_place(const DomainCase& domain) const;
    bool in_maintenance(const std::string& host) const;
    std::vector<Room> rooms() const;
    Want want_for(const DomainCase& domain) const;

    // recovery_turns.cpp: whose turn it is
    bool proof_is_fresh(HostCase& host_case);
    bool views_are_fresh();
    bool fits_still(DomainCase& domain);
    void start_ready();

    // recovery_room.cpp: who waits for whom, and for whom others are stopped
    bool is_its_turn(DomainCase& domain);
    bool is_through(const std::string& domain) const;
    std::set<std::string> make_room(HostCase& host_case, const std::vector<Want>& wants,
                                    const Plan& plan);
    std::vector<Stoppable> stoppable(const HostCase& host_case) const;
    void take_room(HostCase& host_case, const DomainStopped& stopped);
    void place_anew(HostCase& host_case, DomainCase& domain, const std::string& why);

    // recovery_verify.cpp: from the start to the closing
    void settle(HostCase& host_case, DomainCase& domain, const std::string& target,
                const std::string& text);
    void verify(HostCase& host_case, DomainCase& domain, const Observed& observed);
    void runs_stably(HostCase& host_case, DomainCase& domain);
    void ask_guest(HostCase& host_case, DomainCase& domain);
    void no_answer(HostCase& host_case, DomainCase& domain, const GuestAsked& asked);
    void failed_try(HostCase& host_case, DomainCase& domain, RefusalKind kind,
                    const std::string& why);
    void refuse(HostCase& host_case, DomainCase& domain, RefusalKind kind, const std::string& why);
    void refuse(HostCase& host_case, DomainCase& domain, Refusal refusal);
    void refuse_returned(HostCase& host_case, DomainCase& domain);
    void host_returned(HostCase& host_case, const std::string& evidence);
    void release_from(const HostCase& lost);
    void close_finished();

    // both
    void note(const HostCase& host_case, EntryKind kind, StepKind step, const std::string& text,
              const std::string& domain = {}, const std::string& target = {}, bool ok = true);
    void close(const std::string& host, IncidentState state, const std::string& summary);
    /// For each case, although `visit` may close some.
    void for_each_case(const std::function<void(HostCase&)>& visit);
    template <typename Action>
    void act(Action action) {
        step_.actions.emplace_back(std::move(action));
    }
    Instant mono() const { return context_.now.mono; }
    const Policy& policy() const { return context_.inventory.policy; }

    Situation& situation_;
    const RecoveryContext& context_;
    RecoveryStep step_;
};

}  // namespace domkeeper
