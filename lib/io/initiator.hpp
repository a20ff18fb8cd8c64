// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/aoe_codec.hpp"

namespace domkeeper {

// What this machine's kernel says of its network disks, read from below `root` ("" outside of
// tests). All texts are as they came; a file that is not there leaves its field empty.

/// A disk of Linux's aoe driver.
struct AoeDevice {
    AoeAddress address;
    std::string block;  ///< "etherd!e7.3"
    std::string state;  ///< "up", "down", also "up,kickme", "down,closewait"
    std::string macs;   ///< of the target, without colons
    std::vector<std::string> interfaces;
    std::string firmware;
    std::string payload;  ///< bytes in one frame
    std::uint64_t sectors = 0;
    bool read_only = false;
};
std::vector<AoeDevice> read_aoe_devices(const std::string& root);

struct IscsiConnection {
    std::string state;  ///< "up", "failed", "down"
    std::string address;
    std::string port;
    std::string ping_seconds;  ///< ping_tmo: 0 means that a dead target is never looked for
};

struct IscsiDevice {
    std::string name;   ///< "0:0:0:1"
    std::string block;  ///< "sda"; empty: none
    std::string state;  ///< "running", "blocked", "transport-offline", "offline"
    std::uint64_t errors = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t sectors = 0;
    int lun = 0;
};

/// A session of Linux's iSCSI initiator.
struct IscsiKernelSession {
    std::string name;  ///< "session1"
    std::string target;
    std::string state;             ///< "LOGGED_IN", "FAILED", "FREE"
    std::string recovery_seconds;  ///< recovery_tmo, or "off"
    std::vector<IscsiConnection> connections;
    std::vector<IscsiDevice> devices;
};
std::vector<IscsiKernelSession> read_iscsi_sessions(const std::string& root);

}  // namespace domkeeper
