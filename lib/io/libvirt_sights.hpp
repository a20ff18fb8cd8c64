// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/maintenance_types.hpp"
#include "lib/io/libvirt_connection.hpp"

namespace domkeeper {

/// Which of the block devices the far side sees. libvirt has no call for that. Two ways lead
/// there: the list of its node devices, with their /dev/disk/by-* names, and, since it leaves AoE
/// disks out, a storage pool of the device's folder, which lives as long as this call. What
/// neither finds out is Unknown. Blocks as long as the far side likes.
std::map<std::string, DeviceSight> read_device_sights(
    const std::shared_ptr<LibvirtConnection>& connection, const std::vector<std::string>& devices);

}  // namespace domkeeper
