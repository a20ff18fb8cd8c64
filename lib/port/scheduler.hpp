// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include "lib/core/time.hpp"

namespace domkeeper {

/// Time and concurrency, so that tests can own both. Tasks spawned here run side by side; each
/// may block in port calls, sleep_until and wait_until.
class Scheduler {
  public:
    virtual ~Scheduler() = default;
    virtual Now now() = 0;
    /// Blocks the calling task until then.
    virtual void sleep_until(Instant until) = 0;
    /// Starts a task. It may outlive the caller; what it uses must be shared.
    virtual void spawn(std::function<void()> task) = 0;
    /// Blocks until `ready()` holds or `until` has come; returns ready(). The predicate is called
    /// under the scheduler's lock and must be quick.
    virtual bool wait_until(Instant until, const std::function<bool()>& ready) = 0;
    /// Runs `change` under the scheduler's lock and wakes the waiting tasks.
    virtual void update(const std::function<void()>& change) = 0;
};

}  // namespace domkeeper
