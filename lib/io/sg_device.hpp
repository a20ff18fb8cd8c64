// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/core/scsi_codec.hpp"
#include "lib/core/time.hpp"
#include "lib/io/iscsi_session.hpp"

namespace domkeeper {

/// Whole disks in /dev/disk/by-path whose name `wanted` takes; partitions are left out.
std::vector<std::string> find_scsi_disks(const std::function<bool(const std::string&)>& wanted);

/// Sends a SCSI command by the kernel's own session with the disk (SG_IO). A thread that the kernel
/// holds is left behind at the deadline. Throws Denied, SystemError, TimedOut.
ScsiReply sg_command(const std::string& path, const ScsiCommand& command, Deadline deadline);

}  // namespace domkeeper
