// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/bounded.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace domkeeper;
using namespace std::chrono_literals;

namespace {

Deadline in(Duration span) {
    return Deadline{mono_now() + span};
}

/// Blocks until it is let go, like a library that waits for a far side.
class Gate {
  public:
    void wait() { future_.wait(); }
    void open() { promise_.set_value(); }

  private:
    std::promise<void> promise_;
    std::shared_future<void> future_ = promise_.get_future().share();
};

}  // namespace

TEST_CASE("bounded work gives its result or its error", "[bounded]") {
    CHECK(run_bounded("adding", in(5s), [] { return 2 + 2; }) == 4);
    CHECK_THROWS_AS(run_bounded("failing", in(5s), []() -> int { throw Denied("no"); }), Denied);
    CHECK_NOTHROW(run_bounded("nothing", in(5s), [] {}));
}

TEST_CASE("bounded work that hangs is left behind at the deadline", "[bounded]") {
    const auto gate = std::make_shared<Gate>();
    const auto ended = std::make_shared<std::promise<void>>();
    const Instant start = mono_now();
    try {
        run_bounded("asking", in(80ms), [gate, ended] {
            gate->wait();
            ended->set_value();
        });
        FAIL("it should have been late");
    } catch (const TimedOut& e) {
        CHECK(std::string(e.what()).find("asking: no answer within ") == 0);
    }
    CHECK(mono_now() - start >= 80ms);
    CHECK(mono_now() - start < 2s);
    gate->open();
    CHECK(ended->get_future().wait_for(5s) == std::future_status::ready);
}

TEST_CASE("no thread is started when the deadline has passed", "[bounded]") {
    const auto ran = std::make_shared<std::atomic<bool>>(false);
    CHECK_THROWS_AS(run_bounded("asking", in(-1ms), [ran] { *ran = true; }), TimedOut);
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(*ran);
}

TEST_CASE("a walk keeps order, values and errors", "[bounded]") {
    const std::size_t lanes = GENERATE(1U, 4U);
    WalkLimits limits{in(10s), 5s, lanes, 8};
    const auto items = bounded_walk<int>(100, limits, [](std::size_t i) {
        if (i == 7) throw Denied("seven");
        return static_cast<int>(i) * 2;
    });
    REQUIRE(items.size() == 100);
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i == 7) {
            CHECK(items[i].error);
            continue;
        }
        REQUIRE(items[i].value);
        CHECK(*items[i].value == static_cast<int>(i) * 2);
    }
    CHECK(bounded_walk<int>(0, limits, [](std::size_t) { return 1; }).empty());
}

TEST_CASE("one item that hangs costs its own time and no more", "[bounded]") {
    const auto gate = std::make_shared<Gate>();
    const std::size_t lanes = GENERATE(1U, 4U);
    const Instant start = mono_now();
    const auto items =
        bounded_walk<int>(20, WalkLimits{in(20s), 60ms, lanes, 8}, [gate](std::size_t i) {
            if (i == 3) gate->wait();
            return static_cast<int>(i);
        });
    CHECK(mono_now() - start < 10s);
    REQUIRE(items.size() == 20);
    for (std::size_t i = 0; i < items.size(); ++i) CHECK(items[i].value.has_value() == (i != 3));
    CHECK_FALSE(items[3].error);
    gate->open();
}

TEST_CASE("a walk ends at its deadline, or when too many items hang", "[bounded]") {
    const auto gate = std::make_shared<Gate>();
    const auto hang = [gate](std::size_t i) {
        if (i > 0) gate->wait();
        return 1;
    };
    Instant start = mono_now();
    auto items = bounded_walk<int>(50, WalkLimits{in(150ms), 10s, 1, 8}, hang);
    CHECK(mono_now() - start < 5s);
    CHECK(items[0].value);
    CHECK_FALSE(items[49].value);

    start = mono_now();
    items = bounded_walk<int>(50, WalkLimits{in(60s), 30ms, 1, 3}, hang);
    CHECK(mono_now() - start < 10s);
    CHECK_FALSE(items[49].value);
    gate->open();
}
