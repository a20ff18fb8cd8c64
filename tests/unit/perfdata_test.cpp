// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/perfdata.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

namespace domkeeper {
namespace {

Perfdata value_of(double value) {
    Perfdata item;
    item.label.push_back('x');
    item.value = value;
    return item;
}

TEST_CASE("perfdata carries unit, thresholds and bounds", "[perfdata]") {
    Perfdata item{"free memory", 2147483648.0, "B", {}, 0, 4294967296.0};
    CHECK(render_perfdata(item) == "'free memory'=2147483648B;;;0;4294967296");
    item.threshold = {parse_range("1024:"), parse_range("~:5")};
    CHECK(render_perfdata(item) == "'free memory'=2147483648B;1024:;~:5;0;4294967296");
    item.min.reset();
    item.max.reset();
    CHECK(render_perfdata(item) == "'free memory'=2147483648B;1024:;~:5");
    item.threshold = {};
    CHECK(render_perfdata(item) == "'free memory'=2147483648B");
}

TEST_CASE("thresholds that parsers choke on are left out", "[perfdata]") {
    Perfdata item = value_of(1);
    item.threshold = {parse_range("@5:10"), parse_range("20")};
    CHECK(render_perfdata(item) == "'x'=1;;20");
    item.threshold = {parse_range("@5"), parse_range("@6")};
    CHECK(render_perfdata(item) == "'x'=1");
}

TEST_CASE("numbers are plain", "[perfdata]") {
    struct Row {
        double value;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{0, "'x'=0"},
                                           {-0.0, "'x'=0"},
                                           {0.0372, "'x'=0.0372"},
                                           {1e15, "'x'=1000000000000000"},
                                           {1e-9, "'x'=0"},
                                           {-1.5, "'x'=-1.5"}})
        CHECK(render_perfdata(value_of(row.value)) == row.text);
    for (const double value :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        CHECK(render_perfdata(value_of(value)).empty());
    const std::string longest = render_perfdata(value_of(std::numeric_limits<double>::max()));
    CHECK(longest.find_first_not_of("'x=0123456789") == std::string::npos);
}

TEST_CASE("a hostile label can't end early or carry anything else in", "[perfdata]") {
    struct Row {
        std::string label;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{"", "'value'=1"},
                                           {"a=b", "'a_b'=1"},
                                           {"it's", "'it_s'=1"},
                                           {"a|b\nc", "'a?b?c'=1"},
                                           {"'=9;;; 'y", "'__9;;; _y'=1"},
                                           {std::string("a\0b", 3), "'a?b'=1"},
                                           {"\xff\xfe", "'?\?'=1"}}) {
        Perfdata item = value_of(1);
        item.label = row.label;
        CHECK(render_perfdata(item) == row.text);
    }
    Perfdata item = value_of(1);
    item.label = std::string(5000, 'a');
    CHECK(render_perfdata(item).size() < 140);
}

TEST_CASE("several values stand in order, without those that are none", "[perfdata]") {
    const std::vector<Perfdata> items{
        value_of(1), value_of(std::numeric_limits<double>::infinity()), value_of(2)};
    CHECK(render_perfdata(items) == "'x'=1 'x'=2");
    CHECK(render_perfdata(std::vector<Perfdata>{}).empty());
}

}  // namespace
}  // namespace domkeeper
