// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "lib/port/scheduler.hpp"

namespace domkeeper {

/// Both clocks of this machine, read together.
Now real_now();

/// Real time and one thread a task. Always held by shared_ptr: each running task keeps the
/// scheduler alive, so a task that is stuck in a port call may outlive everybody.
class RealScheduler final : public Scheduler, public std::enable_shared_from_this<RealScheduler> {
  public:
    static std::shared_ptr<RealScheduler> create();

    Now now() override;
    void sleep_until(Instant until) override;
    /// A task must not let an exception out: that ends the process. Throws SystemError when the
    /// system has no thread left.
    void spawn(std::function<void()> task) override;
    bool wait_until(Instant until, const std::function<bool()>& ready) override;
    void update(const std::function<void()>& change) override;

  private:
    RealScheduler() = default;

    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace domkeeper
