// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/toml_trap.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace domkeeper;

TEST_CASE("what toml++ can't be given") {
    struct Case {
        std::string text;
        TextPlace place;
    };
    const Case cases[] = {
        {"[^a]", {1, 2}},
        {"[[^a]]", {1, 3}},
        {" \t[ [ \t+a]]\n", {1, 8}},
        {"[\n", {1, 2}},
        {"\xEF\xBB\xBF[.a]", {1, 2}},
        {"a = 1\n# [^no]\n[#]", {3, 2}},
        {"a = \"[\"\n[=]", {2, 2}},
        {"a = \"\\\"[\"\n[=]", {2, 2}},
        {"a = 'c:\\'\n[=]", {2, 2}},
        {"a = [\n [\n 1, # ]\n ],\n]\n[!]", {6, 2}},
        {"a = \"\"\"x\n[^in]\n\\\"\"\"y\"\"\"\"\"\n[!]", {4, 2}},
        {"a = '''x\n[^in]\n\\'''\n[!]", {4, 2}},
        {"[\xC3\xA4]", {1, 2}},
        {std::string("[\0]", 3), {1, 2}},
        {"a = 1 # \xC3\xA4\nb\xC3\xA4 = 2", {2, 2}},
        {"\xC3\xA4 = 2", {1, 1}},
        {"a = [\"\xC3\xA4\", \xC3\xA4]", {1, 12}},
        {"a.\xF0\x9F\x98\x80 = 1", {1, 3}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        const auto found = find_toml_trap(c.text);
        REQUIRE(found);
        CHECK(found->place == c.place);
    }
}

TEST_CASE("table headers and lists that are let pass") {
    for (const std::string text :
         {"", "a = \"\xC3\xA4\"\n'\xC3\xA4' = 1 # \xC3\xA4\n",
          "[a]\n[[b]]\n[ 'c' ]\n[\"d\"]\n[-]\n[_]\n[1]", "[]", "[[]]", "[", "[[", "[ ",
          "a = [\n[\n+1], [\n]]\n", "a = [\n# ]\n[ {b = 1}, ]\n]\n", "a = { b = [\n[ .1 ]] }\n",
          "a = \"\"\"\n[^\"\"\n[^\"\"\"\n", "a = '''\n[^''\n[^'''\n", "a = \"x\n", "a = \"\\",
          "a = \"\"\"\\", "#[^"}) {
        CAPTURE(text);
        CHECK_FALSE(find_toml_trap(text));
    }
}
