// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/xenstore_codec.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "lib/core/error.hpp"

using namespace domkeeper;

namespace {

std::string message(std::uint32_t type, std::uint32_t id, const std::string& body,
                    std::optional<std::uint32_t> length = std::nullopt) {
    const std::array<std::uint32_t, 4> header{
        type, id, 0, length.value_or(static_cast<std::uint32_t>(body.size()))};
    std::string out(sizeof header, '\0');
    std::memcpy(out.data(), header.data(), sizeof header);
    return out + body;
}

std::string nul(const std::string& text) {
    return text + std::string(1, '\0');
}

}  // namespace

TEST_CASE("a request is a header and its words", "[xenstore]") {
    CHECK(encode_xs(xs_read("/a"), 7) == message(2, 7, nul("/a")));
    CHECK(encode_xs(xs_directory("/"), 1) == message(1, 1, nul("/")));
    CHECK(encode_xs(xs_directory_part("/a", 12), 1) == message(22, 1, nul("/a") + nul("12")));
    CHECK(encode_xs(xs_is_introduced(5), 1) == message(17, 1, nul("5")));
    CHECK(encode_xs(xs_control({"quota", "5"}), 1) == message(0, 1, nul("quota") + nul("5")));
}

TEST_CASE("replies come in pieces of any size", "[xenstore]") {
    const std::string stream =
        message(2, 1, "one") + message(15, 0, nul("/x") + nul("t")) + message(16, 2, nul("ENOENT"));
    const std::size_t step = GENERATE(range<std::size_t>(1, 60));
    XsReplyReader reader;
    std::vector<XsReply> replies;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        reader.feed(std::string_view(stream).substr(at, step));
        while (auto reply = reader.next()) replies.push_back(*reply);
    }
    REQUIRE(replies.size() == 2);
    CHECK(replies[0].id == 1);
    CHECK(replies[0].body == "one");
    CHECK(xs_answer(XsType::Read, replies[1]).error == "ENOENT");
}

TEST_CASE("replies that are none", "[xenstore]") {
    XsReplyReader reader;
    reader.feed(message(2, 1, "", 0xffffffff));
    CHECK_THROWS_AS(reader.next(), ProtocolError);
    CHECK_THROWS_AS(xs_answer(XsType::Read, {1, 1, "x"}), ProtocolError);
    CHECK(xs_answer(XsType::Read, {16, 1, ""}).error == "an error without a name");
    CHECK(xs_answer(XsType::Read, {16, 1, "\x1b|"}).error == "??");
}

TEST_CASE("many replies are read in bounded room", "[xenstore]") {
    XsReplyReader reader;
    const std::string one = message(2, 1, std::string(4096, 'x'));
    for (int i = 0; i < 1000; ++i) {
        reader.feed(one + message(2, 2, "y").substr(0, 3));
        REQUIRE(reader.next());
        CHECK_FALSE(reader.next());
        reader.feed(message(2, 2, "y").substr(3));
        REQUIRE(reader.next());
    }
}

TEST_CASE("lists of names", "[xenstore]") {
    using Names = std::vector<std::string>;
    CHECK(parse_xs_names(nul("a") + nul("b"), 9) == Names{"a", "b"});
    CHECK(parse_xs_names(nul("a") + "b", 9) == Names{"a", "b"});
    CHECK(parse_xs_names(nul("a") + nul("b") + nul("c"), 2) == Names{"a", "b"});
    CHECK(parse_xs_names("", 9).empty());
    CHECK(parse_xs_names(nul("") + nul("") + nul("a"), 9) == Names{"a"});

    const auto part = parse_xs_part(nul("7") + nul("a") + nul("b"));
    REQUIRE(part);
    CHECK(part->generation == "7");
    CHECK(part->names == nul("a") + nul("b"));
    CHECK_FALSE(part->last);
    const auto end = parse_xs_part(nul("7") + nul("a") + nul(""));
    REQUIRE(end);
    CHECK(end->last);
    CHECK(end->names == nul("a"));
    const auto empty = parse_xs_part(nul("7") + nul(""));
    REQUIRE(empty);
    CHECK(empty->last);
    CHECK(empty->names.empty());
    CHECK_FALSE(parse_xs_part(""));
    CHECK_FALSE(parse_xs_part("7"));
    CHECK_FALSE(parse_xs_part(nul("7")));
    CHECK_FALSE(parse_xs_part(nul("7") + "cut"));
    CHECK_FALSE(parse_xs_part(nul("") + nul("a")));
}

// The texts are what the daemons of Xen 4.17 answer.
TEST_CASE("quotas", "[xenstore]") {
    const auto rows = parse_xs_quota_table(
        "Quota settings:\nnodes            :     1000 Nodes per domain\n"
        "transaction-nodes:     1024 Max. number\nodd : x\n: 5\nhuge: 99999999999999999999\n" +
        nul(""));
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "nodes");
    CHECK(rows[0].value == 1000);
    CHECK(rows[1].name == "transaction-nodes");
    CHECK(rows[1].value == 1024);
    CHECK(parse_xs_quota_table("OK").empty());
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "a: 1\n";
    CHECK(parse_xs_quota_table(many).size() == 32);

    const auto use = parse_oxenstored_quota(nul("dom7 quota: 12/1000"));
    REQUIRE(use);
    CHECK(use->used == 12);
    CHECK(use->limit == 1000);
    for (const char* text : {"dom7 quota: not set", "OK", "", "dom7 quota: 1", "dom7 quota: /",
                             "x quota: 1/2", "dom7 quota: 1/2x"})
        CHECK_FALSE(parse_oxenstored_quota(text));
}
