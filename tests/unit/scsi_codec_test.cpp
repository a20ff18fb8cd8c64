// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/scsi_codec.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace domkeeper;

namespace {

using Data = std::vector<std::uint8_t>;

Data bytes(std::string_view hex) {
    Data out;
    std::string digits;
    for (const char c : hex)
        if (c != ' ') digits += c;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    return out;
}

}  // namespace

TEST_CASE("SCSI: commands") {
    CHECK(scsi_test_unit_ready().cdb == bytes("000000000000"));
    CHECK(scsi_inquiry().cdb == bytes("120000006000"));
    CHECK(scsi_read_capacity().cdb == bytes("9e10 0000000000000000 00000020 0000"));
    CHECK(scsi_read(0x0102030405060708, 512).cdb == bytes("8800 0102030405060708 00000001 0000"));
    CHECK(scsi_read(1, 4096).asked == 4096);
    CHECK(scsi_read_keys().cdb == bytes("5e00 0000000000 2000 00"));
    CHECK(scsi_read_reservation().cdb == bytes("5e01 0000000000 0018 00"));
    const ScsiCommand preempt =
        scsi_reserve_out(ReserveOut::Preempt, write_exclusive_all, 0xF0, 0xA1B2);
    CHECK(preempt.cdb == bytes("5f04 07 0000 00000018 00"));
    CHECK(preempt.data == bytes("00000000000000f0 000000000000a1b2 0000000000000000"));
}

TEST_CASE("SCSI: capacity") {
    const auto decode = [](std::string_view hex) { return decode_capacity(bytes(hex)); };
    const auto capacity = decode("000000000001ffff 00000200 00000000");
    REQUIRE(capacity);
    CHECK(capacity->blocks == 131072);
    CHECK(capacity->block_size == 512);
    CHECK_FALSE(decode("000000000001ffff 000002"));
    CHECK_FALSE(decode("000000000001ffff 00000000"));
    CHECK_FALSE(decode("000000000001ffff ffffffff"));
    CHECK_FALSE(decode("ffffffffffffffff 00000200"));
}

TEST_CASE("SCSI: what a unit is") {
    Data data = bytes("00000502 1f 00 0002");
    const std::string names = "IET     VIRTUAL-DISK    0001";
    data.insert(data.end(), names.begin(), names.end());
    const auto inquiry = decode_inquiry(data);
    REQUIRE(inquiry);
    CHECK(inquiry->kind == 0);
    CHECK(inquiry->qualifier == 0);
    CHECK(inquiry->vendor == "IET");
    CHECK(inquiry->product == "VIRTUAL-DISK");
    CHECK(inquiry->revision == "0001");
    CHECK_FALSE(inquiry->port_groups);
    data[0] = 0x7F;
    data[5] = 0x10;
    CHECK(decode_inquiry(data)->qualifier == 3);
    CHECK(decode_inquiry(data)->port_groups);
    data.resize(35);
    CHECK_FALSE(decode_inquiry(data));
    CHECK(decode_write_protected(bytes("0b008000")) == true);
    CHECK(decode_write_protected(bytes("0b000000")) == false);
    CHECK_FALSE(decode_write_protected(bytes("0b0080")));
}

TEST_CASE("SCSI: registered keys") {
    const auto decode = [](std::string_view hex) { return decode_keys(bytes(hex)); };
    CHECK(decode("00000003 00000000") == std::vector<std::uint64_t>{});
    CHECK(decode("00000003 00000010 00000000000000a1 00000000000000a2") ==
          std::vector<std::uint64_t>{0xA1, 0xA2});
    // More keys than there was room for: who is missing can't be told.
    CHECK_FALSE(decode("00000003 00000018 00000000000000a1 00000000000000a2"));
    CHECK_FALSE(decode("00000003 00000009 00000000000000a1 00"));
    CHECK_FALSE(decode("00000003 ffffffff"));
    CHECK_FALSE(decode("00000003 000000"));
}

TEST_CASE("SCSI: the reservation") {
    const auto decode = [](std::string_view hex) { return decode_reservation(bytes(hex)); };
    const auto none = decode("00000003 00000000");
    REQUIRE(none);
    CHECK_FALSE(none->has_value());
    const auto held = decode("00000003 00000010 00000000000000f0 00000000 00 07 0000");
    REQUIRE(held);
    REQUIRE(held->has_value());
    CHECK((*held)->key == 0xF0);
    CHECK((*held)->type == 7);
    CHECK_FALSE(decode("00000003 00000010 00000000000000f0 00000000 00"));
    CHECK_FALSE(decode("00000003 00000008 00000000000000f0"));
    CHECK(reservation_text(7) == "write exclusive, all registrants");
    CHECK(reservation_text(9) == "type 9");
}

TEST_CASE("SCSI: groups of ports") {
    const auto decode = [](std::string_view hex) { return decode_port_groups(bytes(hex)); };
    const auto groups =
        decode("0000001c 000f0001 00000001 00000001 020f0002 00000002 00000002 00000003");
    REQUIRE(groups);
    REQUIRE(groups->size() == 2);
    CHECK((*groups)[1].id == 2);
    CHECK((*groups)[1].state == 2);
    CHECK(decode("00000000")->empty());
    CHECK_FALSE(decode("0000001d 000f0001 00000001 00000001"));
    CHECK_FALSE(decode("00000008 000f0001 000000ff"));
    CHECK_FALSE(decode("00000004 000f0001"));
    CHECK_FALSE(decode("ffffffff"));
}

TEST_CASE("SCSI: sense") {
    const auto fixed = decode_sense(bytes("70000500 00000000 00000000 2500"));
    REQUIRE(fixed);
    CHECK(sense_text(*fixed) == "no such LUN (0x5/0x25/0x00)");
    const auto descriptor = decode_sense(bytes("72031100"));
    REQUIRE(descriptor);
    CHECK(sense_text(*descriptor) == "medium error, unrecovered read (0x3/0x11/0x00)");
    CHECK(sense_text({0xB, 0x99, 1}) == "aborted (0xb/0x99/0x01)");
    CHECK_FALSE(decode_sense({}));
    CHECK_FALSE(decode_sense(bytes("7000050000")));
    CHECK_FALSE(decode_sense(bytes("00000000")));
}

TEST_CASE("SCSI: keys as people write them") {
    CHECK(parse_key("0xa1") == 0xA1);
    CHECK(parse_key("A1") == 0xA1);
    CHECK(parse_key("0xffffffffffffffff") == UINT64_MAX);
    for (const char* text : {"", "0", "0x", "0xg1", "a1 ", "-1", "0x1ffffffffffffffff"})
        CHECK_FALSE(parse_key(text));
    CHECK(render_key(0xA1) == "0xa1");
}
