// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <deque>
#include <memory>

#include "lib/app/executor.hpp"
#include "lib/app/executor_shared.hpp"
#include "lib/core/domain_care.hpp"

namespace domkeeper {

/// The care half of the worker: runs the actions of advance_care(), each that may block in a task
/// of its own, and hands back what happened. The worker commits first.
class CareRunner {
  public:
    CareRunner(const Inventory& inventory, const WorkerPorts& ports);

    /// True when something waits in the mailbox; under the scheduler's lock.
    bool has_mail() const;
    std::deque<CareEvent> take_mail();

    void begin(LookAround action);
    void begin(AskSign action);
    void begin(ActOn action);
    void begin(Alarm action);

  private:
    struct Shared;
    static StartOutcome act(Shared& shared, const ActOn& action);

    std::shared_ptr<Shared> shared_;
};

}  // namespace domkeeper
