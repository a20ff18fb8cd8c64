// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/text.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

namespace domkeeper {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("what is printable stays as it is", "[text]") {
    for (const char* text : {"", "web1", "a b=c;d'e\"f", "größe", "日本", "\U0001F600", "~"})
        CHECK(printable(text) == text);
}

TEST_CASE("nothing hostile gets through", "[text]") {
    struct Row {
        std::string text;
        const char* shown;
    };
    const std::vector<Row> rows{
        {"a\nb\r\tc", "a?b?\?c"},
        {"x|y=1", "x?y=1"},
        {std::string("a\0b", 3), "a?b"},
        {"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
        {"\x7f", "?"},
        {"\xff\xfe", "?\?"},
        {"\xc3", "?"},  // cut in the middle
        {"\xc3(", "?("},
        {"\xc0\xaf", "?\?"},              // overlong '/'
        {"\xe0\x80\xaf", "?\?\?"},        // the same in three bytes
        {"\xf0\x80\x80\xaf", "?\?\?\?"},  // and in four
        {"\xed\xa0\x80", "?\?\?"},        // a surrogate
        {"\xf4\x90\x80\x80", "?\?\?\?"},  // beyond Unicode
        {"\xf8\x88\x80\x80\x80", "?\?\?\?\?"},
        {"\x80", "?"},
        {"\xc2\x9b"
         "31m",
         "?\?31m"},           // C1: another way to begin an escape sequence
        {"\xc2\x85", "?\?"},  // C1: next line
    };
    for (const Row& row : rows) {
        CAPTURE(row.shown);
        CHECK(printable(row.text) == row.shown);
    }
}

TEST_CASE("any two bytes become harmless", "[text]") {
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const std::string shown =
                printable(std::string{static_cast<char>(a), static_cast<char>(b)});
            bool harmless = shown.size() == 2;
            for (const char c : shown)
                harmless =
                    harmless && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '|';
            // What is beyond ASCII is one whole character of two bytes, and not a C1 control.
            if (static_cast<unsigned char>(shown[0]) >= 0x80)
                harmless = harmless && printable(shown) == shown &&
                           !(shown[0] == '\xc2' && static_cast<unsigned char>(shown[1]) < 0xa0);
            if (!harmless) FAIL("bytes " << a << " " << b);
        }
    SUCCEED();
}

TEST_CASE("printable text is bounded, and a character is never cut", "[text]") {
    CHECK(printable(std::string(256, 'a')) == std::string(256, 'a'));
    CHECK(printable(std::string(257, 'a')) == std::string(256, 'a') + "...");
    CHECK(printable(std::string(10'000'000, '\n'), 10) == "?\?\?\?\?\?\?\?\?\?...");
    CHECK(printable("aé", 2) == "a...");
    CHECK(printable("aé", 3) == "aé");
    CHECK(printable("a", 0) == "...");
}

TEST_CASE("splitting and joining", "[text]") {
    CHECK(split("", ',').empty());
    CHECK(split("a", ',') == Words{"a"});
    CHECK(split("a,,b", ',') == Words{"a", "", "b"});
    CHECK(split(",", ',') == Words{"", ""});
    CHECK(join({}, ", ").empty());
    CHECK(join({"a"}, ", ") == "a");
    CHECK(join({"a", "", "b"}, ", ") == "a, , b");
    CHECK(trim("  a b \t\r\n") == "a b");
    CHECK(trim(" \n").empty());
    CHECK(lower("AbÄ1") == "abÄ1");
    CHECK(starts_with("abc", "ab"));
    CHECK(starts_with("abc", ""));
    CHECK_FALSE(starts_with("ab", "abc"));
}

TEST_CASE("numbers are read strictly", "[text]") {
    CHECK(parse_integer("0") == 0);
    CHECK(parse_integer("-42") == -42);
    CHECK(parse_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    for (const char* text :
         {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e1", "9223372036854775808", "--1", "1a"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_integer(text));
    }
    CHECK_FALSE(parse_integer(std::string_view("1\0", 2)));
    CHECK(parse_number("2.5") == 2.5);
    CHECK(parse_number("-0.5") == -0.5);
    CHECK(parse_number("10") == 10);
    for (const char* text : {"", "-", "+1", " 1", "1 ", "nan", "NAN", "inf", "-inf", "infinity",
                             "0x1p3", "1e5", "1,5", "1.2.3", "1s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_number(text));
    }
    CHECK_FALSE(parse_number(std::string(400, '9')));
}

TEST_CASE("numbers are written plainly", "[text]") {
    struct Row {
        double value;
        int decimals;
        const char* text;
    };
    for (const Row& row : std::vector<Row>{{0, 6, "0"},
                                           {-0.0, 6, "0"},
                                           {2.5, 6, "2.5"},
                                           {100, 6, "100"},
                                           {100, 0, "100"},
                                           {1e-7, 6, "0"},
                                           {-1e-7, 6, "0"},
                                           {1.0 / 3, 3, "0.333"},
                                           {-7, 6, "-7"},
                                           {999'999'999'999'999, 6, "999999999999999"},
                                           {1e15, 0, "1000000000000000"},
                                           {999'999'999'999.5, 0, "1000000000000"},
                                           {1e21, 6, "1000000000000000000000"}})
        CHECK(render_number(row.value, row.decimals) == row.text);
}

TEST_CASE("a typing mistake is recognised, another word is not", "[text]") {
    const Words names{"config", "connect", "timeout", "host"};
    CHECK(closest("confg", names) == "config");
    CHECK(closest("conect", names) == "connect");
    CHECK(closest("tiemout", names) == "timeout");
    CHECK(closest("hsot", {"host"}) == std::nullopt);
    CHECK(closest("hos", names) == "host");
    CHECK_FALSE(closest("password", names));
    CHECK_FALSE(closest("", names));
    CHECK_FALSE(closest("x", {}));
}

TEST_CASE("counting in English", "[text]") {
    CHECK(counted(0, "host") == "0 hosts");
    CHECK(counted(1, "host") == "1 host");
    CHECK(counted(2, "host") == "2 hosts");
    CHECK(counted(2, "try", "tries") == "2 tries");
    CHECK(counted(1, "try", "tries") == "1 try");
}

}  // namespace
}  // namespace domkeeper
