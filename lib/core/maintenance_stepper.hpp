// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/maintenance.hpp"
#include "lib/core/readmission.hpp"

namespace domkeeper {

/// So often a domain's move is tried before it is told to stay.
constexpr int move_attempts = 2;

/// One call of advance_maintenance(). Inner part of maintenance.cpp (begin, end),
/// maintenance_survey.cpp (read, plan) and maintenance_moves.cpp (move, look, clean up).
class MaintenanceStepper {
  public:
    MaintenanceStepper(MaintenanceSituation& situation, const MaintenanceContext& context)
        : situation_(situation), context_(context) {}

    void on(const MaintenanceTick& tick);
    void on(const MaintenanceResumed& resumed);
    void on(const Surveyed& surveyed);
    void on(const MoveEnded& ended);
    void on(const SidesRead& sides);
    void on(const CleanedUp& cleaned);
    void on(const HostExamined& examined);
    void on(const DefinitionForgotten& forgotten);
    void on(const HostUnfenced& unfenced);

    MaintenanceStep take() { return std::move(step_); }

  private:
    // maintenance.cpp
    void begin(const Maintenance& mark);
    std::optional<std::string> objection(const std::string& host) const;
    void check_orders();
    void stop(const std::string& why);
    void go_on();
    void finish();
    void close(IncidentState state, const std::string& summary, bool remove_mark);
    std::vector<std::string> away() const;
    void write_mark(MaintenancePhase phase);

    // maintenance_survey.cpp
    void survey();
    void take_survey();
    void recheck(const Survey& survey);
    MaintenanceQuestion question() const;
    MaintenancePlan plan_again(const Survey& survey);
    void take_plan(const MaintenancePlan& plan, const Survey& survey);
    bool take_on(const MaintenancePlan& plan, const Maintenance& mark);
    void note_plan(const MaintenancePlan& plan);

    // maintenance_moves.cpp
    void start_ready();
    void cancel_all();
    void look(MoveCase& move);
    void settle(MoveCase& move, const SidesRead& sides);
    void clean(MoveCase& move, const std::string& host, CleanUp what);
    void at_target(MoveCase& move, const std::string& text);
    void at_source(MoveCase& move);
    void nowhere(MoveCase& move);
    void refuse(MoveCase& move, RefusalKind kind, const std::string& why);
    void look_again_when_due();
    MoveCase* find_move(const std::string& domain);
    bool under_way() const;

    // maintenance_return.cpp: a host that was fenced is back
    bool is_untrusted() const;
    void examine();
    void examine_when_due();
    void wait_for(const std::string& what, Duration pause);
    void judge_back(const ReturnFindings& found);
    void refuse_back(const std::vector<Refusal>& refusals);
    void forget(const StaleDefinition& stale);
    void give_disks_back();
    void take_in();
    void note_back(EntryKind kind, const std::string& domain, const std::string& text,
                   bool ok = true);

    void note(EntryKind kind, StepKind step, const std::string& text, bool ok = true);
    void note(const MoveCase& move, EntryKind kind, const std::string& text, bool ok = true);
    template <typename Action>
    void act(Action action) {
        step_.actions.emplace_back(std::move(action));
    }
    MaintenanceCase& active() { return *situation_.active; }
    StepKind whole_step() const;
    Instant mono() const { return context_.now.mono; }
    const Policy& policy() const { return context_.inventory.policy; }

    MaintenanceSituation& situation_;
    const MaintenanceContext& context_;
    MaintenanceStep step_;
};

}  // namespace domkeeper
