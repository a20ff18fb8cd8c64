// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "lib/core/domain_ailment.hpp"
#include "lib/core/domain_care.hpp"

namespace domkeeper {

/// One call of advance_care(). Inner part of domain_care.cpp (reports, time, the end),
/// domain_care_judge.cpp (what a look around means) and domain_care_act.cpp (what is done about
/// it).
class CareStepper {
  public:
    CareStepper(CareSituation& situation, const CareContext& context)
        : situation_(situation), context_(context) {}

    void on(const DomainReported& reported);
    void on(const CareTakenUp& taken);
    void on(const CareTick& tick);
    void on(const LookedAround& look);
    void on(const SignAsked& asked);
    void on(const Acted& acted);

    CareStep take() { return std::move(step_); }

  private:
    // domain_care.cpp
    CareCase& open(const std::string& domain, const std::string& host, const std::string& text);
    void refuse_event(const HostEvent& event, const std::string& why);
    void report_host(const HostEvent& event);
    std::optional<std::string> busy_elsewhere(const std::string& domain,
                                              const std::string& host) const;
    std::optional<std::string> objection(const std::string& domain, const std::string& host) const;
    std::optional<std::string> first_objection(const std::string& domain) const;
    void replay(CareCase& care, const std::vector<JournalEntry>& entries) const;
    void record_again(const CareCase& care, const std::vector<JournalEntry>& entries);
    void look(CareCase& care);
    void wait(CareCase& care, Duration pause);
    bool wait_for(CareCase& care, const std::string& what, Duration pause,
                  std::optional<Duration> patience);
    void close(const CareCase& care, IncidentState state, const std::string& summary);
    void refuse(const CareCase& care, const std::string& why);
    void give_up(const CareCase& care, const std::string& why);

    // domain_care_judge.cpp
    void judge_host(CareCase& care);
    void judge(CareCase& care);
    bool left_fenced_host(const CareCase& care) const;
    bool moved_since_look(const CareCase& care, const std::string& host) const;
    bool find(CareCase& care);
    bool find_pinned(CareCase& care);
    void unseen(CareCase& care, const std::string& why);
    void treat(CareCase& care, const Diagnosis& diagnosis);
    void sound(CareCase& care);
    void hung(CareCase& care);
    void ask(CareCase& care);
    bool went_off_while_disarmed(const CareCase& care) const;
    Remedy remedy(const CareCase& care, std::optional<Remedy> Remedies::*member) const;

    // domain_care_act.cpp
    bool in_the_way(CareCase& care);
    std::optional<std::string> unseen_peer(const CareCase& care) const;
    bool backs_off(CareCase& care, StepKind step, int tries);
    int tries(const CareCase& care, StepKind step, bool elsewhere) const;
    void revive(CareCase& care, const std::string& why, bool must_stop);
    std::map<std::string, std::string> bound_since(const CareCase& care) const;
    std::optional<std::string> rule_against_its_host(const CareCase& care) const;
    Want want_elsewhere(const CareCase& care) const;
    bool target_still_suits(const CareCase& care) const;
    void start_elsewhere(CareCase& care, const std::string& why);
    void let_go_on(CareCase& care, const std::string& why);
    Duration answer_limit(const CareCase& care) const;
    std::vector<Room> rooms(const CareCase& care) const;
    std::optional<std::string> host_of_group(const CareCase& care) const;
    int starts_on(const std::string& host) const;
    void begin(CareCase& care, CareAct act, const std::string& target, StepKind step,
               const std::string& text);
    void started(CareCase& care, const Acted& acted);
    void kept_off(CareCase& care, const Acted& acted);

    void note(const CareCase& care, EntryKind kind, StepKind step, const std::string& text,
              const std::string& target = {}, bool ok = true);
    template <typename Action>
    void act(Action action) {
        step_.actions.emplace_back(std::move(action));
    }
    Instant mono() const { return context_.now.mono; }
    const Policy& policy() const { return context_.inventory.policy; }
    const Domain* entry(const CareCase& care) const {
        return context_.inventory.find_domain(care.domain);
    }

    CareSituation& situation_;
    const CareContext& context_;
    CareStep step_;
};

}  // namespace domkeeper
