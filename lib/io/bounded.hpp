// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/core/error.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// The monotonic clock in the project's unit.
Instant mono_now();

/// Runs `task` on a thread of its own that nobody waits for; signals stay with the other threads.
/// Throws SystemError when the system has no thread left.
void spawn_detached(std::function<void()> task);

/// "no answer within 2s" seen from `start`.
std::string late_message(const std::string& doing, Instant start);

/// Starts `work` on a thread of its own; its result or exception comes through the future, whose
/// destruction does not wait.
template <typename Work>
std::shared_future<std::invoke_result_t<Work&>> start_detached(Work work) {
    using Result = std::invoke_result_t<Work&>;
    auto task = std::make_shared<std::packaged_task<Result()>>(std::move(work));
    std::shared_future<Result> future = task->get_future().share();
    spawn_detached([task] { (*task)(); });
    return future;
}

/// Runs `work` for libraries that may block without bound: on a thread of its own, which is left
/// alone when the deadline comes. All that `work` touches must be owned by it (shared pointers,
/// values). Returns its result or rethrows its exception; throws TimedOut with `doing` in the
/// message when it is late. A program that uses this ends with _exit, not with destructors that
/// would pull the ground from under a thread left behind.
template <typename Work>
std::invoke_result_t<Work&> run_bounded(const std::string& doing, Deadline deadline, Work work) {
    const Instant start = mono_now();
    if (deadline.passed(start)) throw TimedOut(doing + ": no time left to ask");
    const auto future = start_detached(std::move(work));
    if (future.wait_until(deadline.at) != std::future_status::ready)
        throw TimedOut(late_message(doing, start));
    return future.get();
}

/// How one item of a bounded walk ended: with a value, with an error, or (neither) not in time.
template <typename Value>
struct WalkItem {
    std::optional<Value> value;
    std::exception_ptr error;
};

/// How a walk is bounded.
struct WalkLimits {
    Deadline deadline;         ///< of the whole walk
    Duration item_time{1000};  ///< after so long an item is given up and the next ones go on
    std::size_t lanes = 1;     ///< items worked on at the same time
    std::size_t max_late = 8;  ///< so many items given up, and the rest is left undone
};

/// Runs `work(i)` for each i < count. One item that hangs costs its own time and no more: its
/// thread is left alone and another goes on behind it. Same rule of ownership as run_bounded.
template <typename Value, typename Work>
std::vector<WalkItem<Value>> bounded_walk(std::size_t count, WalkLimits limits, Work work) {
    enum class Stage { Waiting, Busy, Done, Late };
    struct Slot {
        Stage stage = Stage::Waiting;
        Instant started;
        WalkItem<Value> item;
    };
    struct Shared {
        std::mutex mutex;
        std::condition_variable settled;
        std::vector<Slot> slots;
        std::size_t next = 0;
        std::size_t open = 0;  // slots neither done nor late
        bool stopped = false;
    };
    const auto shared = std::make_shared<Shared>();
    shared->slots.resize(count);
    shared->open = count;
    const auto lane = [shared, work = std::move(work)]() mutable {
        std::unique_lock lock(shared->mutex);
        while (!shared->stopped && shared->next < shared->slots.size()) {
            const std::size_t index = shared->next++;
            Slot& slot = shared->slots[index];
            slot.stage = Stage::Busy;
            slot.started = mono_now();
            lock.unlock();
            WalkItem<Value> item;
            try {
                item.value = work(index);
            } catch (...) {
                item.error = std::current_exception();
            }
            lock.lock();
            if (slot.stage == Stage::Late) return;  // another lane took over
            slot.item = std::move(item);
            slot.stage = Stage::Done;
            if (--shared->open == 0) shared->settled.notify_all();
        }
    };
    const std::size_t lanes = std::min(std::max<std::size_t>(limits.lanes, 1), count);
    for (std::size_t i = 0; i < lanes; ++i) spawn_detached(lane);

    std::unique_lock lock(shared->mutex);
    std::size_t late = 0;
    while (shared->open > 0) {
        Instant wake = std::min(limits.deadline.at, mono_now() + limits.item_time);
        for (const Slot& slot : shared->slots)
            if (slot.stage == Stage::Busy) wake = std::min(wake, slot.started + limits.item_time);
        shared->settled.wait_until(lock, wake);
        const Instant now = mono_now();
        if (limits.deadline.passed(now) || late >= limits.max_late) break;
        std::size_t replacements = 0;
        for (Slot& slot : shared->slots) {
            if (slot.stage != Stage::Busy || now < slot.started + limits.item_time) continue;
            slot.stage = Stage::Late;
            --shared->open;
            ++late;
            ++replacements;
        }
        if (shared->next == shared->slots.size()) continue;
        for (; replacements > 0; --replacements) spawn_detached(lane);
    }
    shared->stopped = true;
    std::vector<WalkItem<Value>> items;
    items.reserve(count);
    for (Slot& slot : shared->slots) {
        const bool done = slot.stage == Stage::Done;
        if (slot.stage == Stage::Busy) slot.stage = Stage::Late;
        items.push_back(done ? std::move(slot.item) : WalkItem<Value>{});
    }
    return items;
}

}  // namespace domkeeper
