// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/time.hpp"
#include "lib/core/units.hpp"

namespace domkeeper {

/// States of a domain in libvirt's terms; Blocked (Xen: waiting for the CPU) is a running one.
enum class DomainState {
    Running,
    Blocked,
    Paused,
    ShuttingDown,
    ShutOff,
    Crashed,
    Suspended,
    Unknown
};

std::string_view domain_state_name(DomainState state);
/// The name back; nullopt for any other word.
std::optional<DomainState> parse_domain_state(std::string_view name);
/// True where the domain may hold its disks open: all but ShutOff and Crashed. Unknown counts as
/// active, since not knowing is no licence to start it again.
bool is_active(DomainState state);

/// One domain as its hypervisor shows it at one moment.
struct DomainView {
    std::string name;       ///< as the hypervisor says: hostile, pass it through printable()
    std::string uuid;       ///< 36 characters, lower case
    std::optional<int> id;  ///< the hypervisor's number while active
    DomainState state = DomainState::Unknown;
    std::string reason;  ///< "booted", "I/O error"; empty where the driver has none
    Bytes memory;        ///< what it holds now; this and the next two are 0 while it is off
    Bytes memory_max;    ///< what it may grow to
    int vcpus = 0;
    bool persistent = false;
    std::optional<bool> autostart;               ///< empty: the driver can't say
    std::optional<std::string> control_trouble;  ///< its monitor is stuck: "occupied for 13 s"
    std::vector<std::string> disk_errors;        ///< "vda: no space"
    std::optional<std::string> trouble;          ///< this domain could not be read, and why
};

/// One host as its hypervisor shows it at one moment.
struct HostView {
    std::string hypervisor;  ///< "QEMU 7.2.22"
    std::string libvirt;     ///< "9.0.0", of the far side
    std::string hostname;
    Bytes memory_total;
    std::optional<Bytes> memory_free;  ///< empty: the driver can't say
    int cpus = 0;
    std::vector<DomainView> domains;  ///< guests, active and defined, in order of name
    Duration took{0};                 ///< from the call to the last answer
};

/// What is needed to start a domain on another host.
struct DomainDefinition {
    std::string xml;  ///< with its secrets: never shown, kept in files of mode 0600
    bool persistent = true;
};

}  // namespace domkeeper
