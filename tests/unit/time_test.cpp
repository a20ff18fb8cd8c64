// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/time.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

namespace domkeeper {
namespace {

Instant at(int ms) {
    return Instant{} + Duration{ms};
}

TEST_CASE("a deadline counts down to nothing and stays there", "[time]") {
    const Deadline deadline{at(1000)};
    CHECK(deadline.remaining(at(0)) == Duration{1000});
    CHECK(deadline.remaining(at(999)) == Duration{1});
    CHECK(deadline.remaining(at(1000)) == Duration{0});
    CHECK(deadline.remaining(at(5000)) == Duration{0});
    CHECK_FALSE(deadline.passed(at(999)));
    CHECK(deadline.passed(at(1000)));
    CHECK(deadline.passed(at(1001)));
}

TEST_CASE("a part of the work gets the nearer of its own time and the whole's", "[time]") {
    const Deadline deadline{at(1000)};
    CHECK(deadline.within(at(0), Duration{400}).at == at(400));
    CHECK(deadline.within(at(900), Duration{400}).at == at(1000));
    CHECK(deadline.within(at(2000), Duration{400}).at == at(1000));
}

TEST_CASE("times are written in UTC with milliseconds", "[time]") {
    using std::chrono::sys_days;
    struct Row {
        TimePoint time;
        const char* text;
    };
    const TimePoint day = sys_days{std::chrono::year{2026} / 11 / 22};
    for (const Row& row : std::vector<Row>{
             {TimePoint{}, "1970-01-01T00:00:00.000Z"},
             {day + std::chrono::microseconds{15'224'120'999}, "2026-11-22T04:13:44.120Z"},
             {day + std::chrono::hours{24} - std::chrono::microseconds{1},
              "2026-11-22T23:59:59.999Z"},
             {sys_days{std::chrono::year{2028} / 2 / 29}, "2028-02-29T00:00:00.000Z"},
             {TimePoint{} - Duration{1}, "1969-12-31T23:59:59.999Z"}})
        CHECK(render_time(row.time) == row.text);
}

TEST_CASE("seconds have three decimals", "[time]") {
    struct Row {
        Duration span;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{Duration{0}, "0.000"},
                                           {Duration{3250}, "3.250"},
                                           {Duration{7}, "0.007"},
                                           {Duration{-7}, "-0.007"},
                                           {Duration{-61'001}, "-61.001"},
                                           {Duration{100'000'000}, "100000.000"}})
        CHECK(render_seconds(row.span) == row.text);
}

}  // namespace
}  // namespace domkeeper
