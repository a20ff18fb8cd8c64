// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace domkeeper {

// ATA over Ethernet, version 1, by the specification AoEr11. All numbers are big-endian but the
// sector address (LBA) and what ATA itself defines. There is no encoder of a write.

using MacAddress = std::array<std::uint8_t, 6>;

constexpr MacAddress broadcast_mac{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/// "02:a0:e0:00:00:01"; also with '-' between or nothing (as Linux's aoe driver shows it).
std::optional<MacAddress> parse_mac(std::string_view text);
std::string render_mac(const MacAddress& mac);
/// True for an address of one card: neither a group's nor all zeros.
bool is_unicast(const MacAddress& mac);

/// Shelf ("major") and slot ("minor") of a target.
struct AoeAddress {
    std::uint16_t shelf = 0;
    std::uint8_t slot = 0;

    friend auto operator<=>(const AoeAddress&, const AoeAddress&) = default;
};

/// Every target answers this one (AoEr11, 2.5).
constexpr AoeAddress aoe_everybody{0xFFFF, 0xFF};

/// "7.3", or "e7.3" as the Linux driver names its devices. The broadcast numbers 65535 and 255 are
/// refused.
std::optional<AoeAddress> parse_aoe_address(std::string_view text);
std::string render_aoe_address(AoeAddress address);

/// AoEr11, 2: the command field.
enum class AoeCommand : std::uint8_t { Ata = 0, Config = 1, MacMask = 2, Reserve = 3 };

/// AoEr11, 2.4, and 6 of the reserve/release extension.
enum class AoeError : std::uint8_t {
    BadCommand = 1,
    BadArgument = 2,
    DeviceUnavailable = 3,
    ConfigPresent = 4,
    BadVersion = 5,
    Reserved = 6
};

/// "the target is reserved for other hosts"; also for a number that the specification lacks.
std::string aoe_error_text(AoeError error);

/// What every request and reply begins with.
struct AoeHeader {
    MacAddress to{};
    MacAddress from{};
    AoeAddress address;
    std::uint32_t tag = 0;  ///< a reply repeats it
};

std::vector<std::uint8_t> encode_aoe_config_query(const AoeHeader& header);
/// ATA IDENTIFY DEVICE (0xEC). A reservation does not shut it out.
std::vector<std::uint8_t> encode_aoe_identify(const AoeHeader& header);
/// ATA READ SECTORS EXT (0x24) of one sector of 512 bytes; `lba` below 2^48.
std::vector<std::uint8_t> encode_aoe_read(const AoeHeader& header, std::uint64_t lba);
std::vector<std::uint8_t> encode_aoe_mask_query(const AoeHeader& header);

enum class ReserveAction : std::uint8_t {
    Read = 0,
    Set = 1,      ///< only of an unreserved target, or from a host of its list
    ForceSet = 2  ///< always; an empty list releases the target
};

/// At most 255 addresses go into one list; more are refused with an empty frame.
std::vector<std::uint8_t> encode_aoe_reserve(const AoeHeader& header, ReserveAction action,
                                             const std::vector<MacAddress>& hosts);

struct AoeAtaReply {
    std::uint8_t status = 0;  ///< ATA: 0x40 ready, 0x01 error
    std::uint8_t error = 0;   ///< ATA: 0x10 no such sector, 0x04 aborted, 0x40 unreadable
    std::span<const std::uint8_t> data;  ///< lies in the decoded frame

    bool failed() const { return (status & 0x01) != 0; }
};

struct AoeConfigReply {
    std::uint16_t buffers = 0;  ///< requests that the target queues; more must wait
    std::uint16_t firmware = 0;
    std::uint8_t max_sectors = 0;  ///< of one request
    std::uint8_t version = 0;      ///< of the protocol
    std::string config;            ///< the config string as it came: bytes, not printable
};

struct AoeMaskReply {
    std::uint8_t error = 0;
    std::vector<MacAddress> hosts;  ///< empty: everybody is answered
};

struct AoeReserveReply {
    std::vector<MacAddress> hosts;  ///< empty: not reserved
};

struct AoeReply {
    AoeHeader header;
    AoeCommand command = AoeCommand::Ata;
    /// Set when the target refused; `body` is then empty.
    std::optional<AoeError> error;
    std::variant<std::monostate, AoeAtaReply, AoeConfigReply, AoeMaskReply, AoeReserveReply> body;
};

/// A whole Ethernet frame, padded or not. nullopt for anything that is no well-formed reply:
/// another protocol or version, a request, an unknown command, a length field that promises more
/// than came.
std::optional<AoeReply> decode_aoe_reply(std::span<const std::uint8_t> frame);

/// True for a request of this version of AoE, such as the discovery of another initiator.
bool is_aoe_request(std::span<const std::uint8_t> frame);

/// ATA-8 ACS, IDENTIFY DEVICE, of 512 bytes.
struct AtaIdentity {
    std::string model;
    std::string serial;
    std::string firmware;
    std::uint64_t sectors = 0;  ///< of 512 bytes
};

/// nullopt unless there are 512 bytes. The texts are as the device wrote them, without padding.
std::optional<AtaIdentity> decode_identity(std::span<const std::uint8_t> data);

}  // namespace domkeeper
