// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "lib/port/scheduler.hpp"
#include "lib/sim/fiber.hpp"

namespace domkeeper {

/// Thrown inside the tasks of a process that the simulation killed. Not an Error: nothing may
/// catch it but the simulation.
struct SimKilled {};

/// Simulated time. Tasks are fibers of the thread that calls run_until(): exactly one runs at any
/// moment, in an order that depends on nothing but the program: the same scenario gives the same
/// log, always. Time jumps to the next moment at which a task wants to go on.
class SimScheduler : public Scheduler {
  public:
    /// A simulated process: its tasks die together.
    using Process = std::shared_ptr<bool>;

    /// `stacks` are the tasks', and must outlive it.
    SimScheduler(TimePoint start, Stacks& stacks);
    /// Kills what still runs and waits for it.
    ~SimScheduler() override;
    SimScheduler(const SimScheduler&) = delete;
    SimScheduler& operator=(const SimScheduler&) = delete;

    Now now() override;
    void sleep_until(Instant until) override;
    void spawn(std::function<void()> task) override;
    bool wait_until(Instant until, const std::function<bool()>& ready) override;
    void update(const std::function<void()>& change) override;

    void sleep(Duration span) { sleep_until(now().mono + span); }
    /// Starts a task of a new process.
    Process spawn_process(std::function<void()> task);
    /// The process of the calling task.
    Process current_process();
    /// Every task of it throws SimKilled when its turn comes; one that runs is not interrupted.
    void kill(const Process& process);
    /// Runs all tasks until none is left or the time has come. Not called by a task.
    void run_until(Instant end);
    /// True when a task turned in a circle while no time passed; it was killed for that.
    bool stood_still() const { return stood_still_; }
    /// Kills what still runs and waits for it: to be called before what tasks refer to goes.
    void stop();

  private:
    struct Task;
    /// A fiber that carries one task after the other.
    struct Carrier {
        std::unique_ptr<Fiber> fiber;
        Task* task = nullptr;  ///< empty when it is resumed: the end
    };
    struct Task {
        std::function<void()> body;
        Carrier* carrier = nullptr;
        Process alive;
        std::function<bool()> ready;  ///< empty: it only waits for the time
        Instant wake;
        bool finished = false;
    };

    void start_task(Process process, std::function<void()> body);
    void carry(Carrier& carrier);
    bool block(Instant until, std::function<bool()> ready);
    void count_turn();
    bool may_run(const Task& task) const;
    /// Whose turn it is next, when need be at a later time; null: nobody's before the end.
    Task* next_task();

    Stacks& stacks_;
    std::vector<std::unique_ptr<Carrier>> carriers_;
    std::vector<Carrier*> free_;
    std::list<std::unique_ptr<Task>> tasks_;  ///< in the order in which they blocked
    Task* current_ = nullptr;
    Instant now_{};
    Instant end_{};
    TimePoint start_;
    long turns_ = 0;  ///< at the present instant
    bool stood_still_ = false;
    bool stopping_ = false;
};

}  // namespace domkeeper
