// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/range.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

namespace domkeeper {
namespace {

TEST_CASE("a range alerts as the monitoring-plugins guide says", "[range]") {
    struct Row {
        const char* text;
        double value;
        bool alerts;
    };
    const std::vector<Row> rows{
        {"10", -0.001, true}, {"10", 0, false},     {"10", 10, false},     {"10", 10.001, true},
        {"10:", 9.999, true}, {"10:", 10, false},   {"10:", 1e12, false},  {"~:10", -1e12, false},
        {"~:10", 10, false},  {"~:10", 10.5, true}, {"10:20", 9, true},    {"10:20", 10, false},
        {"10:20", 20, false}, {"10:20", 21, true},  {"@10:20", 9, false},  {"@10:20", 10, true},
        {"@10:20", 15, true}, {"@10:20", 20, true}, {"@10:20", 21, false}, {"-5:5", -5, false},
        {"-5:5", -5.1, true}, {"-5:-1", 0, true},   {"0", 0, false},       {"0", 1, true},
        {"0:0", 0, false},    {"@0", 0, true},      {"@0", 1, false},      {"1.5:2.5", 2, false},
        {"~:", 1e300, false}, {"@~:", 0, true},     {"@~:5", 6, false},    {"@5:", 4, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text, row.value);
        const auto range = parse_range(row.text);
        REQUIRE(range);
        CHECK(range->alerts(row.value) == row.alerts);
    }
}

TEST_CASE("what is no number lies in no range", "[range]") {
    for (const char* text : {"10", "@10", "~:"})
        CHECK(parse_range(text)->alerts(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("ranges that the peers read differently are refused", "[range]") {
    for (const char* text : {"",      "5:1",      "5%",
                             "abc",   "10:20:30", "@",
                             ":",     ":10",      "@:",
                             "nan",   "inf",      "-inf:",
                             "nan:5", "1e3",      "0x10",
                             "+5",    " 5",       "5 ",
                             "5: 6",  "10,20",    "@@5",
                             "5@",    "~",        "~~:5",
                             "5:~",   "~5:6",     "5:@6",
                             "-",     "--5",      ".",
                             "1.2.3", "-1",       "99999999999999999999999999999999999999999e9"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_range(text));
    }
    CHECK_FALSE(parse_range(std::string_view("5\0", 2)));
    CHECK_FALSE(parse_range(std::string(100'000, '9')));
}

TEST_CASE("a range is rendered as it would be written", "[range]") {
    for (const char* text : {"10", "10:", "~:10", "10:20", "@10:20", "@10", "-5:5",
                             "0:", "~:", "@~:5", "1.5:2.25", "0", "-5:-1"}) {
        CAPTURE(text);
        CHECK(render_range(*parse_range(text)) == text);
    }
    CHECK(render_range(*parse_range("0:10")) == "10");
}

TEST_CASE("a threshold gives the worse of its verdicts, and none without ranges", "[range]") {
    const Threshold both{parse_range("10"), parse_range("20")};
    CHECK(both.judge(5) == Status::Ok);
    CHECK(both.judge(15) == Status::Warning);
    CHECK(both.judge(25) == Status::Critical);
    CHECK(Threshold{}.judge(1e300) == Status::Ok);
    // A critical range inside the warning's alerts all the same.
    const Threshold odd{parse_range("20"), parse_range("10")};
    CHECK(odd.judge(15) == Status::Critical);
}

}  // namespace
}  // namespace domkeeper
