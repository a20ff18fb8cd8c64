// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/table.hpp"

#include <catch2/catch.hpp>

using namespace domkeeper;

TEST_CASE("table: columns of one width each") {
    Table table({{"NAME"}, {"SIZE", true}, {"NOTE"}});
    CHECK(table.empty());
    table.add({"a", "10", "x"});
    table.add({"caf\xC3\xA9s", "9"});
    table.add({"b", "12345", "", "too much"});
    CHECK_FALSE(table.empty());
    CHECK(table.render(1) ==
          " NAME    SIZE  NOTE\n"
          " a         10  x\n"
          " caf\xC3\xA9s      9\n"
          " b      12345\n");
}

TEST_CASE("table: nothing that a terminal obeys gets through") {
    Table table({{"NAME"}, {"NOTE"}});
    table.add({"\x1b[2J", "a\nb"});
    table.add({"\xFF\xFE", std::string(2000, 'x')});
    const std::string out = table.render();
    CHECK(out.substr(0, 28) == "NAME  NOTE\n?[2J  a?b\n??    x");
    CHECK(out.size() < 1200);
}
