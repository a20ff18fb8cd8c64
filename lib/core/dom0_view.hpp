// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/units.hpp"

namespace domkeeper {

/// A guest's network interface on the host's side.
struct VifView {
    int domain = 0;
    std::string name;    ///< "vif7.0"
    std::string bridge;  ///< that it should be in; empty: none
    bool there = false;  ///< the interface is
    bool bridge_there = false;
    bool bridge_up = false;
    bool joined = false;      ///< the interface is in that bridge
    std::int64_t errors = 0;  ///< errors and drops since the interface was made
};

/// What only the dom0 itself can see of the machine.
struct Dom0View {
    Bytes memory_total;
    Bytes memory_available;
    double load = 0;  ///< of five minutes
    int cpus = 0;
    /// States of the processes of each program that was looked for: "R", "S", "T" (stopped).
    std::map<std::string, std::vector<char>> programs;
    std::vector<std::string> autostart;      ///< what xendomains starts with the host
    std::optional<bool> clock_synchronized;  ///< empty: the kernel does not say
    double clock_error = 0;                  ///< seconds that the clock may be wrong by
    std::vector<VifView> vifs;
    std::vector<std::string> trouble;  ///< what could not be read, and why
};

/// What xenstored's tree says of a domain, for its hypervisor's view to be compared with.
struct XenTreeView {
    std::string name;
    std::optional<Bytes> memory_target;
    int vcpus_wanted = 0;  ///< 0: it says nothing
};

}  // namespace domkeeper
