// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "lib/app/executor.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/recovery.hpp"

namespace domkeeper {

/// The maintenance half of the worker: runs the actions of advance_maintenance(), each that may
/// block in a task of its own, and hands back what happened. The worker commits first.
class MaintenanceRunner {
  public:
    MaintenanceRunner(const Inventory& inventory, const WorkerPorts& ports);

    /// True when something waits in the mailbox; under the scheduler's lock.
    bool has_mail() const;
    std::deque<MaintenanceEvent> take_mail();
    /// Entries that an effect left outside the state machine (downtimes), to be written.
    std::vector<JournalEntry> take_notes();

    void begin(TakeSurvey action);
    void begin(MoveDomain action);
    void begin(CancelMove action);
    void begin(LookAtSides action);
    void begin(CleanUpSide action);
    void begin(ExamineHost action);
    void begin(ForgetDefinition action);
    void begin(Unfence action);
    void begin(BeginDowntime action);
    void begin(EndDowntime action);
    void begin(TellPeople action);

  private:
    struct Shared;
    void tell_monitor(const std::string& host, const std::function<std::string()>& tell);

    std::shared_ptr<Shared> shared_;
};

}  // namespace domkeeper
