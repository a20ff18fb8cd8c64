// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/real_scheduler.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace domkeeper;
using std::chrono::milliseconds;

TEST_CASE("real scheduler: tasks run side by side and wake the waiting one") {
    const auto scheduler = RealScheduler::create();
    const auto done = std::make_shared<int>(0);
    const Instant start = scheduler->now().mono;
    for (int i = 0; i < 8; ++i)
        scheduler->spawn([scheduler = scheduler.get(), done] {
            scheduler->sleep_until(scheduler->now().mono + milliseconds(50));
            scheduler->update([&] { ++*done; });
        });
    CHECK(scheduler->wait_until(start + milliseconds(5000), [&] { return *done == 8; }));
    const auto took = scheduler->now().mono - start;
    CHECK(took >= milliseconds(50));
    CHECK(took < milliseconds(350));  // one after the other would be 400
}

TEST_CASE("real scheduler: waiting ends at its time and says what is so") {
    const auto scheduler = RealScheduler::create();
    const Instant start = scheduler->now().mono;
    CHECK_FALSE(scheduler->wait_until(start + milliseconds(30), [] { return false; }));
    CHECK(scheduler->now().mono - start >= milliseconds(30));
    // Already past: the predicate decides, nothing blocks.
    CHECK(scheduler->wait_until(start, [] { return true; }));
    CHECK_FALSE(scheduler->wait_until(start, [] { return false; }));
}

TEST_CASE("real scheduler: a task outlives everybody who held the scheduler") {
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    std::weak_ptr<RealScheduler> watch;
    {
        auto scheduler = RealScheduler::create();
        watch = scheduler;
        scheduler->spawn([raw = scheduler.get(), ended] {
            raw->sleep_until(raw->now().mono + milliseconds(50));
            raw->update([&] { *ended = true; });
        });
    }
    CHECK_FALSE(watch.expired());
    for (int i = 0; i < 500 && !watch.expired(); ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(*ended);
    CHECK(watch.expired());
}
