// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/sim_scheduler.hpp"

#include <algorithm>

namespace domkeeper {

SimScheduler::SimScheduler(TimePoint start) : start_(start) {}

SimScheduler::~SimScheduler() {
    end_all();
}

void SimScheduler::end_all() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const auto& task : tasks_) *task->alive = false;
    }
    run_until(Instant::max());
    for (const auto& task : tasks_) task->thread.join();
    tasks_.clear();
}

Now SimScheduler::now() {
    const std::lock_guard lock(mutex_);
    return {now_, start_ + now_.time_since_epoch()};
}

bool SimScheduler::may_run(const Task& task) const {
    return !*task.alive || task.wake <= now_ || (task.ready && task.ready());
}

void SimScheduler::hand_over() {
    Task* next = nullptr;
    for (const auto& task : tasks_)
        if (!task->finished && may_run(*task)) {
            next = task.get();
            break;
        }
    if (next == nullptr) {
        for (const auto& task : tasks_)
            if (!task->finished && (next == nullptr || task->wake < next->wake)) next = task.get();
        if (next != nullptr && next->wake <= end_)
            now_ = next->wake;
        else
            next = nullptr;
    }
    current_ = next;
    if (next == nullptr) {
        main_turn_.notify_one();
        return;
    }
    next->running = true;
    next->turn.notify_one();
}

bool SimScheduler::block(std::unique_lock<std::mutex>& lock, Instant until,
                         std::function<bool()> ready) {
    Task& task = *current_;
    if (!*task.alive) throw SimKilled{};
    task.wake = until;
    task.ready = std::move(ready);
    task.running = false;
    // To the end of the queue: whoever waits longest goes first.
    const auto self =
        std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& t) { return t.get() == &task; });
    tasks_.splice(tasks_.end(), tasks_, self);
    hand_over();
    task.turn.wait(lock, [&] { return task.running; });
    const bool is_ready = task.ready && task.ready();
    task.ready = nullptr;
    if (!*task.alive) throw SimKilled{};
    return is_ready;
}

void SimScheduler::sleep_until(Instant until) {
    std::unique_lock lock(mutex_);
    block(lock, until, nullptr);
}

bool SimScheduler::wait_until(Instant until, const std::function<bool()>& ready) {
    std::unique_lock lock(mutex_);
    if (ready()) return true;
    return block(lock, until, ready);
}

void SimScheduler::update(const std::function<void()>& change) {
    const std::lock_guard lock(mutex_);
    change();
}

void SimScheduler::body_of(Task& task, const std::function<void()>& body) {
    {
        std::unique_lock lock(mutex_);
        task.turn.wait(lock, [&] { return task.running; });
    }
    try {
        if (*task.alive) body();
    } catch (const SimKilled&) {
    }
    const std::lock_guard lock(mutex_);
    task.finished = true;
    task.running = false;
    hand_over();
}

void SimScheduler::start_task(Process process, std::function<void()> body) {
    const std::lock_guard lock(mutex_);
    // Finished threads are joined as we go, so that a long run does not collect them.
    for (auto it = tasks_.begin(); it != tasks_.end();) {
        if ((*it)->finished) {
            (*it)->thread.join();
            it = tasks_.erase(it);
        } else {
            ++it;
        }
    }
    tasks_.push_back(std::make_unique<Task>());
    Task& task = *tasks_.back();
    task.alive = std::move(process);
    task.wake = now_;
    task.thread = std::thread([this, &task, body = std::move(body)] { body_of(task, body); });
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
    const std::lock_guard lock(mutex_);
    return current_->alive;
}

void SimScheduler::kill(const Process& process) {
    const std::lock_guard lock(mutex_);
    *process = false;
}

void SimScheduler::run_until(Instant end) {
    std::unique_lock lock(mutex_);
    end_ = end;
    hand_over();
    main_turn_.wait(lock, [&] { return current_ == nullptr; });
    if (!stopping_) now_ = std::max(now_, end);
}

}  // namespace domkeeper
