// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/sim_scheduler.hpp"

#include <algorithm>

namespace domkeeper {
namespace {

/// What a worker does at one instant takes some hundred turns.
constexpr long most_turns = 100'000;

}  // namespace

SimScheduler::SimScheduler(TimePoint start, Stacks& stacks) : stacks_(stacks), start_(start) {}

void SimScheduler::stop() {
    stopping_ = true;
    for (const auto& task : tasks_) *task->alive = false;
    run_until(Instant::max());
}

SimScheduler::~SimScheduler() {
    stop();
    for (const auto& carrier : carriers_) {
        carrier->task = nullptr;
        carrier->fiber->resume();
    }
}

Now SimScheduler::now() {
    return {now_, start_ + now_.time_since_epoch()};
}

bool SimScheduler::may_run(const Task& task) const {
    return !*task.alive || task.wake <= now_ || (task.ready && task.ready());
}

SimScheduler::Task* SimScheduler::next_task() {
    for (const auto& task : tasks_)
        if (!task->finished && may_run(*task)) return task.get();
    Task* next = nullptr;
    for (const auto& task : tasks_)
        if (!task->finished && (next == nullptr || task->wake < next->wake)) next = task.get();
    if (next == nullptr || next->wake > end_) return nullptr;
    now_ = next->wake;
    turns_ = 0;
    return next;
}

void SimScheduler::count_turn() {
    if (++turns_ <= most_turns) return;
    stood_still_ = true;
    throw SimKilled{};
}

bool SimScheduler::block(Instant until, std::function<bool()> ready) {
    Task& task = *current_;
    count_turn();
    if (!*task.alive) throw SimKilled{};
    task.wake = until;
    task.ready = std::move(ready);
    // To the end of the queue: whoever waits longest goes first.
    const auto self =
        std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& t) { return t.get() == &task; });
    tasks_.splice(tasks_.end(), tasks_, self);
    task.carrier->fiber->suspend();
    const bool is_ready = task.ready && task.ready();
    task.ready = nullptr;
    if (!*task.alive) throw SimKilled{};
    return is_ready;
}

void SimScheduler::sleep_until(Instant until) {
    block(until, nullptr);
}

bool SimScheduler::wait_until(Instant until, const std::function<bool()>& ready) {
    if (ready()) {
        count_turn();
        return true;
    }
    return block(until, ready);
}

void SimScheduler::update(const std::function<void()>& change) {
    change();
}

void SimScheduler::carry(Carrier& carrier) {
    for (; carrier.task != nullptr; carrier.fiber->suspend()) {
        Task& task = *carrier.task;
        try {
            if (*task.alive) task.body();
        } catch (const SimKilled&) {
        }
        // What the task holds goes while it still has the turn.
        task.body = nullptr;
        task.finished = true;
        free_.push_back(&carrier);
    }
}

void SimScheduler::start_task(Process process, std::function<void()> body) {
    tasks_.remove_if([](const auto& task) { return task->finished; });
    if (free_.empty()) {
        carriers_.push_back(std::make_unique<Carrier>());
        Carrier& made = *carriers_.back();
        made.fiber = std::make_unique<Fiber>(stacks_, [this, &made] { carry(made); });
        free_.push_back(&made);
    }
    auto task = std::make_unique<Task>();
    task->body = std::move(body);
    task->alive = std::move(process);
    task->wake = now_;
    task->carrier = free_.back();
    task->carrier->task = task.get();
    free_.pop_back();
    tasks_.push_back(std::move(task));
}

void SimScheduler::spawn(std::function<void()> task) {
    start_task(current_process(), std::move(task));
}

SimScheduler::Process SimScheduler::spawn_process(std::function<void()> task) {
    auto process = std::make_shared<bool>(true);
    start_task(process, std::move(task));
    return process;
}

SimScheduler::Process SimScheduler::current_process() {
    return current_->alive;
}

void SimScheduler::kill(const Process& process) {
    *process = false;
}

void SimScheduler::run_until(Instant end) {
    end_ = end;
    while ((current_ = next_task()) != nullptr) current_->carrier->fiber->resume();
    if (!stopping_) now_ = std::max(now_, end);
}

}  // namespace domkeeper
