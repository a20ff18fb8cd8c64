// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/port/scheduler.hpp"

namespace domkeeper::test {

/// Real threads, invented time: the clock jumps to the next wake-up whenever every task waits.
/// The thread that makes it counts as a task.
class VirtualScheduler final : public Scheduler {
  public:
    ~VirtualScheduler() override {
        {
            const std::lock_guard lock(mutex_);
            --running_;
            advance();
        }
        for (std::thread& thread : threads_) thread.join();
    }

    Now now() override {
        const std::lock_guard lock(mutex_);
        return {now_, TimePoint{} + now_.time_since_epoch()};
    }
    void sleep_until(Instant until) override {
        wait_until(until, [] { return false; });
    }
    void spawn(std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        ++running_;
        threads_.emplace_back([this, work = std::move(task)] {
            work();
            const std::lock_guard end(mutex_);
            --running_;
            advance();
        });
    }
    bool wait_until(Instant until, const std::function<bool()>& ready) override {
        std::unique_lock lock(mutex_);
        if (ready()) return true;
        if (now_ >= until) return false;
        const auto me = waiters_.insert(waiters_.end(), Waiter{until, &ready, false});
        --running_;
        advance();
        changed_.wait(lock, [&] { return me->woken; });
        waiters_.erase(me);
        return ready();
    }
    void update(const std::function<void()>& change) override {
        const std::lock_guard lock(mutex_);
        change();
        wake_ready();
    }

  private:
    struct Waiter {
        Instant until;
        const std::function<bool()>* ready;
        bool woken;
    };

    void wake(Waiter& waiter) {
        waiter.woken = true;
        ++running_;
        changed_.notify_all();
    }
    void wake_ready() {
        for (Waiter& waiter : waiters_)
            if (!waiter.woken && (*waiter.ready)()) wake(waiter);
    }
    void advance() {
        if (running_ > 0) return;
        bool found = false;
        Instant next{};
        for (const Waiter& waiter : waiters_)
            if (!waiter.woken && (!found || waiter.until < next)) {
                found = true;
                next = waiter.until;
            }
        if (!found) return;
        now_ = std::max(now_, next);
        for (Waiter& waiter : waiters_)
            if (!waiter.woken && waiter.until <= now_) wake(waiter);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<Waiter> waiters_;
    std::vector<std::thread> threads_;
    Instant now_{};
    int running_ = 1;
};

}  // namespace domkeeper::test
