// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/real_scheduler.hpp"

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {

Now real_now() {
    return {mono_now(),
            std::chrono::time_point_cast<TimePoint::duration>(std::chrono::system_clock::now())};
}

std::shared_ptr<RealScheduler> RealScheduler::create() {
    return std::shared_ptr<RealScheduler>(new RealScheduler);
}

Now RealScheduler::now() {
    return real_now();
}

void RealScheduler::sleep_until(Instant until) {
    std::this_thread::sleep_until(until);
}

void RealScheduler::spawn(std::function<void()> task) {
    try {
        std::thread([self = shared_from_this(), work = std::move(task)] { work(); }).detach();
    } catch (const std::system_error& error) {
        throw SystemError("can't start a thread: " + std::string(error.what()));
    }
}

bool RealScheduler::wait_until(Instant until, const std::function<bool()>& ready) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, until, ready);
}

void RealScheduler::update(const std::function<void()>& change) {
    {
        const std::lock_guard lock(mutex_);
        change();
    }
    changed_.notify_all();
}

}  // namespace domkeeper
