// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/result.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace domkeeper {
namespace {

CheckResult part(Status status, const std::string& summary) {
    CheckResult result;
    result.status = status;
    result.summary = summary;
    return result;
}

CheckResult sample() {
    CheckResult result = part(Status::Ok, "3 domains");
    result.perfdata.push_back({"time", 0.01, "s", {}, {}, {}});
    result.parts = {part(Status::Ok, "web1 running"), part(Status::Warning, "web2 paused"),
                    part(Status::Critical, "db1 shut off"), part(Status::Unknown, "db2 no answer")};
    result.parts[1].parts = {part(Status::Ok, "vda"), part(Status::Warning, "vdb full")};
    result.parts[2].perfdata.push_back({"db1", 3, "", {}, {}, {}});
    return result;
}

TEST_CASE("the whole is as bad as its worst part, at any depth", "[result]") {
    CHECK(overall(sample()) == Status::Critical);
    CheckResult deep = part(Status::Ok, "");
    deep.parts = {part(Status::Ok, "")};
    deep.parts[0].parts = {part(Status::Unknown, "")};
    CHECK(overall(deep) == Status::Unknown);
    deep.parts[0].parts.push_back(part(Status::Critical, ""));
    CHECK(overall(deep) == Status::Critical);
}

TEST_CASE("parts stand worst first, and good ones only when asked for", "[result]") {
    CHECK(render_result("DOMU", sample()) ==
          "DOMU CRITICAL - 3 domains|'time'=0.01s 'db1'=3\n"
          "[CRITICAL] db1 shut off\n"
          "[UNKNOWN] db2 no answer\n"
          "[WARNING] web2 paused\n"
          "  [WARNING] vdb full\n");
    CHECK(render_result("DOMU", sample(), 1) ==
          "DOMU CRITICAL - 3 domains|'time'=0.01s 'db1'=3\n"
          "[CRITICAL] db1 shut off\n"
          "[UNKNOWN] db2 no answer\n"
          "[WARNING] web2 paused\n"
          "  [WARNING] vdb full\n"
          "  [OK] vda\n"
          "[OK] web1 running\n");
}

TEST_CASE("nothing from outside breaks the format", "[result]") {
    CheckResult result = part(Status::Critical, "a|b\nOK - c\x1b[31m");
    result.parts = {part(Status::Critical, "x\ny|z=1"), part(Status::Warning, "\xc3\x28")};
    CHECK(render_result("N|\n", result) ==
          "N?? CRITICAL - a?b?OK - c?[31m\n[CRITICAL] x?y?z=1\n[WARNING] ?(\n");
}

TEST_CASE("output stays within what Nagios reads and says what it left out", "[result]") {
    CheckResult result = part(Status::Ok, std::string(3000, 's'));
    for (int i = 0; i < 1000; ++i) {
        CheckResult one = part(i == 777 ? Status::Critical : Status::Warning,
                               "domain " + std::to_string(i) + std::string(600, 'x'));
        one.perfdata.push_back({"domain " + std::to_string(i), 1.0 * i, "B", {}, {}, {}});
        result.parts.push_back(one);
    }
    for (const int verbosity : {0, 3}) {
        const std::string text = render_result("DOMU", result, verbosity);
        CHECK(text.size() <= 8191);
        CHECK(std::count(text.begin(), text.end(), '|') == 1);
        CHECK(text.back() == '\n');
        CHECK(text.find("left out)\n") == text.size() - 10);
        // The worst part is the last to be dropped.
        CHECK(text.find("[CRITICAL] domain 777") != std::string::npos);
        CHECK(text.find(" more lines and ") != std::string::npos);
        // The values that are there are whole.
        const std::string first = text.substr(0, text.find('\n'));
        CHECK(first.back() == 'B');
    }
}

TEST_CASE("output that fits exactly is not cut", "[result]") {
    CheckResult result = part(Status::Warning, "s");
    for (int i = 0; i < 100; ++i)
        result.parts.push_back(part(Status::Warning, std::string(50, 'x')));
    const std::string text = render_result("N", result);
    CHECK(std::count(text.begin(), text.end(), '\n') == 101);
    CHECK(text.find("left out") == std::string::npos);
}

}  // namespace
}  // namespace domkeeper
