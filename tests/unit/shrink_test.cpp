// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/shrink.hpp"

#include <catch2/catch.hpp>

#include "lib/sim/scenario.hpp"

using namespace domkeeper;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a failing scenario shrinks to what makes it fail") {
    struct Row {
        std::string text;
        std::vector<std::string> needed;
        std::string small;
    };
    const std::vector<Row> rows{
        {"host a memory=1GiB\nhost b\ndomain d\nat 1s cut b\nuntil 9s\n",
         {"at 1s cut b"},
         "at 1s cut b\n"},
        {"host a memory=1GiB reserve=1GiB\nhost b\n",
         {"host a", "reserve"},
         "host a reserve=1GiB\n"},
        {"at 1234ms cut b\nat 17s cut a\n", {"at ", "s cut b"}, "at 1s cut b\n"},
        {"a\nb\nc\nd\ne\n", {"b", "e"}, "b\ne\n"},
        {"host a\n", {"nothing of that"}, "host a\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto fails = [&](const std::string& tried) {
            for (const std::string& part : row.needed)
                if (!has(tried, part)) return false;
            return true;
        };
        CHECK(shrink_scenario(row.text, fails) == row.small);
    }
}

TEST_CASE("a shrunk scenario breaks the promise that the long one broke") {
    // Its own domain is started twice by hand, which is a broken promise at the end.
    const std::string text =
        "host a memory=8GiB\nhost b memory=8GiB\nhost c memory=8GiB\n"
        "domain d1\ndomain d2\nruns a d1=1GiB d2=1GiB\n"
        "at 1s hang c\nat 2s unhang c\nat 3s cut a\nat 4s recover a confirmed\nuntil 60s\n";
    const auto breaks = [](const std::string& tried) {
        try {
            return !run_scenario(parse_scenario(tried)).broken.empty();
        } catch (const std::exception&) {
            return false;
        }
    };
    REQUIRE(breaks(text));
    const std::string small = shrink_scenario(text, breaks);
    CHECK(breaks(small));
    CHECK(small.size() < text.size() / 2);
    CHECK_FALSE(has(small, "hang"));
    CHECK(has(small, "recover a confirmed"));
}

TEST_CASE("crash points may stand in a scenario") {
    const std::string text =
        "policy witnesses=w1\nhost a fence=bmc memory=8GiB\nhost b memory=8GiB\n"
        "device bmc agent=fence_ipmi\n"
        "domain d1\nruns a d1=1GiB\nat 1s power-cut a\nat 2s report a DOWN HARD\n";
    const auto plain = run_scenario(parse_scenario(text));
    const auto twice = run_scenario(parse_scenario(text + "crash-at 5 30\n"));
    CHECK(plain.ran.at("d1") == "b");
    CHECK(twice.ran.at("d1") == "b");
    const auto kills = std::count_if(twice.log.begin(), twice.log.end(), [](const auto& line) {
        return has(line, "the worker is killed");
    });
    CHECK(kills == 2);
    CHECK_THROWS(parse_scenario("host a\ncrash-at 0\n"));
    CHECK_THROWS(parse_scenario("host a\ncrash-at x\n"));
}
