// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/units.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace domkeeper {
namespace {

TEST_CASE("sizes are read in binary units", "[units]") {
    struct Row {
        const char* text;
        Bytes bytes;
    };
    for (const Row& row : std::vector<Row>{{"0", {0}},
                                           {"4096", {4096}},
                                           {"4096B", {4096}},
                                           {"1KiB", kibibytes(1)},
                                           {"512MiB", mebibytes(512)},
                                           {"512 MiB", mebibytes(512)},
                                           {"1.5GiB", mebibytes(1536)},
                                           {"2TiB", gibibytes(2048)},
                                           {"0.5KiB", {512}}}) {
        CAPTURE(row.text);
        CHECK(parse_bytes(row.text) == row.bytes);
    }
}

TEST_CASE("what is no size is refused", "[units]") {
    for (const char* text :
         {"", " ", "GiB", "2GB", "2G", "2gib", "2 GiB x", "-1", "+1", "1e9", "nan", "inf", "0x10",
          "1,5GiB", "1..5GiB", "99999999999999999999TiB", "1048577TiB", " 1KiB", "1KiB2"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bytes(text));
    }
    CHECK_FALSE(parse_bytes(std::string_view("1\0KiB", 5)));
    CHECK_FALSE(parse_bytes(std::string(10'000, '9')));
}

TEST_CASE("sizes are written in the unit that reads best", "[units]") {
    struct Row {
        Bytes bytes;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{{0}, "0 B"},
                                           {{1023}, "1023 B"},
                                           {kibibytes(1), "1 KiB"},
                                           {mebibytes(512), "512 MiB"},
                                           {mebibytes(1536), "1.5 GiB"},
                                           {gibibytes(5000), "4.9 TiB"},
                                           {Bytes{} - gibibytes(1), "-1 GiB"}})
        CHECK(render_bytes(row.bytes) == row.text);
}

TEST_CASE("spans need a unit", "[units]") {
    struct Row {
        const char* text;
        Duration span;
    };
    for (const Row& row : std::vector<Row>{{"400ms", Duration{400}},
                                           {"5s", Duration{5'000}},
                                           {"0.5s", Duration{500}},
                                           {"10min", Duration{600'000}},
                                           {"10m", Duration{600'000}},
                                           {"2h", Duration{7'200'000}},
                                           {"1d", Duration{86'400'000}},
                                           {"1w", Duration{604'800'000}},
                                           {"0s", Duration{0}}}) {
        CAPTURE(row.text);
        CHECK(parse_duration(row.text) == row.span);
    }
    for (const char* text : {"", "5", "s", "5 s x", "-5s", "5S", "5sec", "nans", "1e3s", "5s5",
                             "99999999999999w", "1001w.", "2h30min"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
}

TEST_CASE("spans are written for people, and most can be read back", "[units]") {
    struct Row {
        Duration span;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{Duration{0}, "0ms"},
                                           {Duration{999}, "999ms"},
                                           {Duration{1'500}, "1.5s"},
                                           {Duration{60'000}, "1min"},
                                           {Duration{61'000}, "1min 1s"},
                                           {Duration{7'500'000}, "2h 5min"},
                                           {Duration{90'000'000}, "1d 1h"},
                                           {Duration{-5'000}, "-5s"}})
        CHECK(render_duration(row.span) == row.text);
    for (const char* text : {"400ms", "5s", "10min", "2h", "3d"})
        CHECK(render_duration(*parse_duration(text)) == text);
}

}  // namespace
}  // namespace domkeeper
