// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/json.hpp"

#include <catch2/catch.hpp>

#include "lib/core/units.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;

TEST_CASE("json strings are valid whatever they are made from") {
    struct Case {
        std::string text;
        std::string json;
    };
    const Case cases[] = {
        {"", R"("")"},
        {"plain text/ok", R"("plain text/ok")"},
        {"a\"b\\c", R"("a\"b\\c")"},
        {"tab\tline\nreturn\r", R"("tab\u0009line\nreturn\u000d")"},
        {std::string("zero\0!", 6), R"("zero\u0000!")"},
        {"\x1b[31m\x7f", R"("\u001b[31m\u007f")"},
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
         "\"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
        {"\xC3", "\"\xEF\xBF\xBD\""},
        {"\xC3(", "\"\xEF\xBF\xBD(\""},
        {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // overlong
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // surrogate
        {"\xC2\x9B", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // C1: a terminal's CSI
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(render_json_string(c.text) == c.json);
    }
}

TEST_CASE("json values") {
    Json list = Json::array();
    list.push(true).push(7).push("x").push(Json()).push(std::int64_t{-9'007'199'254'740'993});
    list.push(Json::seconds(3250ms)).push(Json::seconds(-5ms)).push(Json::array());
    list.push(std::optional<int>()).push(std::optional<std::string>("y")).push(Json::object());
    Json object = Json::object();
    object.set("list", std::move(list)).set("at", Json::time(TimePoint{1ms}));
    Json more = Json::object();
    more.set("a\"b", false);
    CHECK(object.merge(std::move(more)).render() == R"({
  "list": [
    true,
    7,
    "x",
    null,
    -9007199254740993,
    3.250,
    -0.005,
    [],
    null,
    "y",
    {}
  ],
  "at": "1970-01-01T00:00:00.001Z",
  "a\"b": false
}
)");
    CHECK(Json().render() == "null\n");
}
