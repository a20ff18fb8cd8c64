// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/units.hpp"

namespace domkeeper {

/// Domains have numbers below this one (DOMID_FIRST_RESERVED in xen/include/public/xen.h); after
/// the last one the hypervisor begins again at 1.
constexpr int xen_first_reserved_id = 0x7ff0;

/// One domain as the hypervisor itself shows it.
struct XenDomain {
    int id = 0;
    std::string uuid;  ///< 36 characters, lower case
    bool dying = false;
    bool shut_down = false;  ///< it stopped and waits for the toolstack
    int shutdown_code = 0;   ///< 0 poweroff, 1 reboot, 2 suspend, 3 crash, 4 watchdog, 5 soft reset
    bool paused = false;
    bool hvm = false;  ///< HVM or PVH
    Bytes memory;      ///< pages that it holds
    Bytes memory_max;  ///< what the hypervisor lets it have
    Bytes claimed;     ///< promised to it and not taken yet
    int vcpus_online = 0;
    int vcpus = 0;                 ///< online or not
    std::int64_t cpu_time_ns = 0;  ///< of all its processors since it was made
    std::optional<int> weight;     ///< of the scheduler; empty: it has none such
    std::optional<int> cap;        ///< percent of one processor; 0: none
};

/// The machine as the hypervisor shows it.
struct XenMachine {
    std::string version;       ///< "4.17.7"
    std::string command_line;  ///< that it was booted with
    std::string scheduler;     ///< "credit2"
    Bytes memory_total;
    Bytes memory_free;
    Bytes memory_scrubbing;  ///< freed and being cleaned
    Bytes memory_claimed;    ///< promised to domains that are being built
    int cpus = 0;
    bool hvm = false;
    bool pv = false;
    bool hap = false;
    bool shadow = false;
};

/// What the hypervisor says of itself and its domains.
struct XenView {
    XenMachine machine;
    std::vector<XenDomain> domains;  ///< dom0 too, in order of their numbers
};

}  // namespace domkeeper
