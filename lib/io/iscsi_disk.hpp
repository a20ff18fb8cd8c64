// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/scsi_codec.hpp"
#include "lib/core/time.hpp"
#include "lib/io/iscsi_session.hpp"

namespace domkeeper {

/// What one LUN says of itself. An optional that is empty was not told.
struct IscsiDisk {
    std::string trouble;    ///< why the reading ended early, printable; empty: it did not
    std::string not_ready;  ///< what TEST UNIT READY said, when it was not "good"
    bool absent = false;    ///< the target has no such LUN
    std::optional<ScsiInquiry> inquiry;
    std::optional<ScsiCapacity> capacity;
    std::optional<bool> write_protected;
    std::vector<std::chrono::microseconds> latencies;  ///< of the reads that worked
    std::size_t failed_reads = 0;
    std::string read_trouble;  ///< of the first that failed
    std::optional<std::vector<std::uint64_t>> keys;
    std::optional<std::optional<ScsiReservation>> reservation;
    std::vector<ScsiPortGroup> port_groups;
};

/// What to ask of a LUN beside its health.
struct IscsiQuestions {
    std::size_t samples = 10;   ///< single blocks to be read
    bool reservations = false;  ///< ask for keys and reservation
};

/// One LUN to be read.
struct IscsiOrder {
    IscsiLogin login;
    int lun = 0;
};

/// Logs in everywhere, asks, reads and leaves; all of it at the same time in one loop, the
/// questions to one LUN together, the reads one after another since they are measured. Ends at the
/// deadline; a host name is looked up before, within it. Throws nothing but UsageError and
/// SystemError: a target that can't be reached is its trouble. One answer an order, in order.
std::vector<IscsiDisk> read_iscsi_disks(const std::vector<IscsiOrder>& orders,
                                        IscsiQuestions questions, Deadline deadline);

}  // namespace domkeeper
