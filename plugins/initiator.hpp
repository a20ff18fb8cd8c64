// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/result.hpp"
#include "lib/io/block_read.hpp"
#include "lib/io/initiator.hpp"
#include "plugins/aoe.hpp"
#include "plugins/iscsi.hpp"

namespace domkeeper {

/// The rows that both checks have.
Option initiator_option();
Option root_option();

/// How a disk that hangs is told from one that is well: nobody but a read knows. `said`: what the
/// kernel calls it.
void judge_read(const BlockRead& read, const std::string& said, CheckResult& result);
void judge_sectors(std::uint64_t sectors, const std::optional<Bytes>& size, CheckResult& result);
CheckResult summed_up_disks(CheckResult result);

/// --initiator, for both checks, and the rows that only it uses.
std::vector<Option> aoe_initiator_options();
std::vector<Option> iscsi_initiator_options();

/// What this machine's kernel says of its AoE disks, and real reads of them. Blocks at most until
/// the deadline, however dead a disk is.
CheckResult check_aoe_initiator(const Arguments& arguments, Deadline deadline);
CheckResult check_iscsi_initiator(const Arguments& arguments, Deadline deadline);

/// `interfaces`: each disk must be reached through them; may be empty.
CheckResult judge_aoe_devices(const std::vector<AoeDevice>& devices,
                              const std::vector<BlockRead>& reads, const AoeExpectations& wanted,
                              const std::vector<std::string>& interfaces);

/// Errors and timeouts of a disk since the kernel began to count.
struct DiskCounters {
    std::uint64_t errors = 0;
    std::uint64_t timeouts = 0;
};
/// By "TARGET/LUN": one line each, "NAME ERRORS TIMEOUTS". Lines that are none are left out.
std::map<std::string, DiskCounters> parse_counters(const std::string& text);
std::string render_counters(const std::map<std::string, DiskCounters>& counters);

/// `reads`: by the name of the block device. `before`: the counters of the last run; those that it
/// lacks are not judged.
CheckResult judge_iscsi_sessions(const std::vector<IscsiKernelSession>& sessions,
                                 const std::map<std::string, BlockRead>& reads,
                                 const std::vector<IscsiUnit>& units,
                                 const DiskThresholds& thresholds,
                                 const std::map<std::string, DiskCounters>& before);

}  // namespace domkeeper
