// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

// SCSI commands and what comes back, as bytes (SPC-4, SBC-3; all numbers big-endian). There is no
// encoder of a write. `asked` is the length of the answer that a command leaves room for.

struct ScsiCommand {
    std::vector<std::uint8_t> cdb{};
    std::vector<std::uint8_t> data{};  ///< goes with it
    std::size_t asked = 0;             ///< bytes of answer
};

ScsiCommand scsi_test_unit_ready();
ScsiCommand scsi_inquiry();
ScsiCommand scsi_read_capacity();                                    ///< READ CAPACITY (16)
ScsiCommand scsi_mode_sense();                                       ///< MODE SENSE (6), all pages
ScsiCommand scsi_read(std::uint64_t lba, std::uint32_t block_size);  ///< READ (16), one block
ScsiCommand scsi_report_port_groups();                               ///< REPORT TARGET PORT GROUPS
ScsiCommand scsi_read_keys();                                        ///< PERSISTENT RESERVE IN
ScsiCommand scsi_read_reservation();

/// PERSISTENT RESERVE OUT (SPC-4, 6.14).
enum class ReserveOut : std::uint8_t {
    Register = 0,
    Reserve = 1,
    Preempt = 4,
    PreemptAndAbort = 5,
    RegisterAndIgnore = 6
};
/// Write exclusive, all registrants: who is registered may write, whoever that is.
constexpr std::uint8_t write_exclusive_all = 7;
ScsiCommand scsi_reserve_out(ReserveOut action, std::uint8_t type, std::uint64_t key,
                             std::uint64_t action_key);

/// What is asked for is of these kinds (SPC-4, 6.4.2).
struct ScsiInquiry {
    std::uint8_t kind = 0;       ///< 0: a disk
    std::uint8_t qualifier = 0;  ///< 0: there is such a unit
    std::string vendor;
    std::string product;
    std::string revision;
    bool port_groups = false;  ///< it offers ALUA
};

struct ScsiCapacity {
    std::uint64_t blocks = 0;
    std::uint32_t block_size = 0;
};

struct ScsiReservation {
    std::uint64_t key = 0;  ///< 0 where all registrants hold it
    std::uint8_t type = 0;
};

struct ScsiPortGroup {
    std::uint16_t id = 0;
    std::uint8_t state =
        0;  ///< 0 optimized, 1 non-optimized, 2 standby, 3 unavailable, 15 changing
};

// Each gives nothing for an answer that is too short for what it must hold or contradicts itself.
std::optional<ScsiInquiry> decode_inquiry(std::span<const std::uint8_t> data);
std::optional<ScsiCapacity> decode_capacity(std::span<const std::uint8_t> data);
std::optional<bool> decode_write_protected(std::span<const std::uint8_t> data);  ///< MODE SENSE
/// The registered keys; also nothing when there are more than the answer had room for.
std::optional<std::vector<std::uint64_t>> decode_keys(std::span<const std::uint8_t> data);
/// The outer optional: not decodable. The inner: not reserved.
std::optional<std::optional<ScsiReservation>> decode_reservation(
    std::span<const std::uint8_t> data);
std::optional<std::vector<ScsiPortGroup>> decode_port_groups(std::span<const std::uint8_t> data);

/// SAM-5, 5.3.1.
constexpr std::uint8_t scsi_good = 0x00, scsi_check_condition = 0x02, scsi_conflict = 0x18;

/// Sense keys (SPC-4, 4.5), and the additional sense code "logical unit not supported".
constexpr std::uint8_t scsi_not_ready = 0x2, scsi_medium_error = 0x3, scsi_hardware_error = 0x4,
                       scsi_illegal_request = 0x5, scsi_no_such_lun = 0x25;

/// Why a command failed.
struct ScsiSense {
    std::uint8_t key = 0;
    std::uint8_t asc = 0;
    std::uint8_t ascq = 0;
};
/// Fixed or descriptor format (SPC-4, 4.5).
std::optional<ScsiSense> decode_sense(std::span<const std::uint8_t> data);
/// "medium error, unrecovered read (0x3/0x11/0x00)"
std::string sense_text(const ScsiSense& sense);

/// "write exclusive, all registrants"
std::string reservation_text(std::uint8_t type);
/// A reservation key as people write it: hexadecimal with or without 0x, not nought.
std::optional<std::uint64_t> parse_key(std::string_view text);
std::string render_key(std::uint64_t key);

}  // namespace domkeeper
