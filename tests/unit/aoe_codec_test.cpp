// SPDX-License-Identifier: GPL-3.0-or-later
// Frames of a real target: vblade 25 with a disk of 8 MiB as 7.3, taken from the wire.
#include "lib/core/aoe_codec.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

using namespace domkeeper;

namespace {

using Frame = std::vector<std::uint8_t>;

Frame recorded(const std::string& name) {
    std::ifstream file("tests/fuzz/aoe_corpus/" + name, std::ios::binary);
    REQUIRE(file);
    return Frame(std::istreambuf_iterator<char>(file), {});
}

Frame bytes(std::string_view hex) {
    Frame out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

const MacAddress target{0x02, 0xA0, 0xE0, 0, 0, 1};
const MacAddress initiator{0x02, 0xA0, 0xE0, 0, 0, 2};
const MacAddress other{0x02, 0xA0, 0xE0, 0, 0, 3};

}  // namespace

TEST_CASE("AoE: MAC addresses") {
    const MacAddress mac{0x02, 0xA0, 0xE0, 0, 0, 0x1F};
    for (const char* text : {"02:a0:e0:00:00:1f", "02-A0-E0-00-00-1F", "02a0e000001f"})
        CHECK(parse_mac(text) == mac);
    CHECK(render_mac(mac) == "02:a0:e0:00:00:1f");
    for (const char* text :
         {"", "02:a0:e0:00:00", "02:a0:e0:00:00:1g", "02:a0-e0:00:00:1f", "02:a0:e0:00:00:1f ",
          "02a0e000001", "2:a0:e0:0:0:1f", "+2:a0:e0:00:00:1f"})
        CHECK_FALSE(parse_mac(text));
    CHECK(is_unicast(mac));
    CHECK_FALSE(is_unicast(broadcast_mac));
    CHECK_FALSE(is_unicast(MacAddress{}));
}

TEST_CASE("AoE: addresses") {
    CHECK(parse_aoe_address("7.3") == AoeAddress{7, 3});
    CHECK(parse_aoe_address("e65534.254") == AoeAddress{65534, 254});
    for (const char* text : {"", "7", "7.", ".3", "7.3.1", "65535.1", "7.255", "-1.3", "7.256", "e",
                             "7.3 ", "70000.1"})
        CHECK_FALSE(parse_aoe_address(text));
    CHECK(render_aoe_address({7, 3}) == "7.3");
}

TEST_CASE("AoE: requests are what the target understands") {
    const AoeHeader header{target, initiator, {7, 3}, 0x80000102};
    const Frame identify = encode_aoe_identify(header);
    CHECK(identify.size() == 60);
    CHECK(Frame(identify.begin(), identify.begin() + 36) ==
          bytes("02a0e000000102a0e000000288a2100000070300"
                "80000102"
                "000001ec0000000000000000"));
    const Frame read = encode_aoe_read(header, 0x0000010203040506);
    CHECK(Frame(read.begin() + 24, read.begin() + 36) == bytes("400001240605040302010000"));
    const Frame reserve = encode_aoe_reserve(header, ReserveAction::ForceSet, {initiator, other});
    CHECK(Frame(reserve.begin() + 19, reserve.begin() + 38) == bytes("0380000102"
                                                                     "0202"
                                                                     "02a0e000000202a0e0000003"));
    CHECK(is_aoe_request(reserve));
    CHECK(encode_aoe_reserve(header, ReserveAction::Set, std::vector<MacAddress>(256)).empty());
    const Frame full = encode_aoe_reserve(header, ReserveAction::Set, std::vector<MacAddress>(255));
    CHECK(full.size() == 26 + 255 * 6);
}

TEST_CASE("AoE: a config reply") {
    const Frame frame = recorded("config");
    const auto reply = decode_aoe_reply(frame);
    REQUIRE(reply);
    CHECK(reply->header.from == target);
    CHECK(reply->header.to == initiator);
    CHECK(reply->header.address == AoeAddress{7, 3});
    CHECK(reply->header.tag == 0x80000101);
    const auto& config = std::get<AoeConfigReply>(reply->body);
    CHECK(config.buffers == 16);
    CHECK(config.firmware == 0x4019);
    CHECK(config.max_sectors == 2);
    CHECK(config.version == 1);
    CHECK(config.config.empty());
}

TEST_CASE("AoE: a config string is as long as it says and no longer") {
    Frame frame = recorded("config");
    frame.resize(60);
    frame[31] = 5;
    std::copy_n("e7.3!padding", 12, frame.begin() + 32);
    const auto reply = decode_aoe_reply(frame);
    REQUIRE(reply);
    CHECK(std::get<AoeConfigReply>(reply->body).config == "e7.3!");
    frame[31] = 29;  // one more than there is
    CHECK_FALSE(decode_aoe_reply(frame));
    frame.resize(2000);
    frame[30] = 0x04;
    frame[31] = 0x01;  // 1025: more than a config string may have
    CHECK_FALSE(decode_aoe_reply(frame));
}

TEST_CASE("AoE: what the disk says of itself") {
    const Frame frame = recorded("identify");
    const auto reply = decode_aoe_reply(frame);
    REQUIRE(reply);
    const auto& ata = std::get<AoeAtaReply>(reply->body);
    CHECK(ata.status == 0x40);
    CHECK_FALSE(ata.failed());
    const auto identity = decode_identity(ata.data);
    REQUIRE(identity);
    CHECK(identity->model == "Coraid EtherDrive vblade");
    CHECK(identity->serial == "7.3:vm");
    CHECK(identity->firmware == "V25");
    CHECK(identity->sectors == 16384);
    CHECK_FALSE(decode_identity(ata.data.first(511)));

    Frame old = frame;
    old[36 + 167] = static_cast<std::uint8_t>(old[36 + 167] & ~0x04U);  // no LBA48: words 60, 61
    old[36 + 121] = 0x20;
    CHECK(decode_identity(std::get<AoeAtaReply>(decode_aoe_reply(old)->body).data)->sectors ==
          8192);
}

TEST_CASE("AoE: reads") {
    const Frame frame = recorded("read");
    const auto reply = decode_aoe_reply(frame);
    REQUIRE(reply);
    const auto& ata = std::get<AoeAtaReply>(reply->body);
    CHECK(ata.data.size() == 512);
    CHECK(std::string(ata.data.begin(), ata.data.begin() + 5) == "hello");

    const auto past = decode_aoe_reply(recorded("past"));
    REQUIRE(past);
    CHECK(std::get<AoeAtaReply>(past->body).failed());
    CHECK(std::get<AoeAtaReply>(past->body).error == 0x10);
}

TEST_CASE("AoE: lists and refusals") {
    const auto mask = decode_aoe_reply(recorded("mask"));
    REQUIRE(mask);
    CHECK(std::get<AoeMaskReply>(mask->body).hosts.empty());
    const auto reserved = decode_aoe_reply(recorded("resset"));
    REQUIRE(reserved);
    CHECK(std::get<AoeReserveReply>(reserved->body).hosts ==
          std::vector<MacAddress>{initiator, other});
    const auto refused = decode_aoe_reply(recorded("refused"));
    REQUIRE(refused);
    CHECK(refused->error == AoeError::Reserved);
    CHECK(std::holds_alternative<std::monostate>(refused->body));
    CHECK(aoe_error_text(static_cast<AoeError>(77)) == "AoE error 77");
}

TEST_CASE("AoE: no cut frame is taken for a whole one") {
    for (const char* name : {"config", "identify", "mask", "resset", "resempty"}) {
        const Frame frame = recorded(name);
        const std::size_t least = std::string(name) == "identify" ? 36 : frame.size();
        for (std::size_t size = 0; size < least; ++size) {
            // A copy of that size, so that a reading past its end is seen by the sanitizers.
            const Frame cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK_FALSE(decode_aoe_reply(cut));
        }
    }
}

TEST_CASE("AoE: what is no reply is none") {
    const auto changed = [](std::size_t at, std::uint8_t value) {
        Frame frame = recorded("config");
        frame[at] = value;
        return decode_aoe_reply(frame).has_value();
    };
    CHECK(changed(20, 1));           // another tag is still a reply
    CHECK_FALSE(changed(13, 0xA3));  // another protocol
    CHECK_FALSE(changed(14, 0x10));  // a request
    CHECK_FALSE(changed(14, 0x28));  // version 2
    CHECK_FALSE(changed(6, 0x03));   // from a group
    CHECK_FALSE(changed(18, 0xFF));  // from everybody's slot
    CHECK_FALSE(changed(19, 9));     // a command that there is not
    Frame refused = recorded("badcmd");
    CHECK(refused[19] == 9);
    CHECK_FALSE(decode_aoe_reply(refused));
}
