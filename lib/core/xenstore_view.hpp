// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/xen.hpp"
#include "lib/core/xenstore_codec.hpp"

namespace domkeeper {

/// One count of a domain's against its limit.
struct XsUse {
    std::string what;  ///< "nodes", "watches", "memory"
    std::int64_t used = 0;
    std::int64_t limit = 0;
};

/// A domain as the tree shows it. Texts are bounded but as hostile as their writers.
struct XsDomain {
    int id = 0;
    std::string name;         ///< empty: it has none, or there was no need to ask
    bool has_home = false;    ///< /local/domain/ID is there
    bool has_libxl = false;   ///< /libxl/ID is there
    bool introduced = false;  ///< xenstored serves it
    std::string shutdown;     ///< what it was asked to do and has not taken note of; empty: nothing
    std::optional<std::string> heartbeat;  ///< digest of its heartbeat's text
    std::vector<XsUse> uses;
    std::optional<std::int64_t> device_model;  ///< process that serves its disks
    bool device_model_runs = true;             ///< or it has none
};

/// One end of a device, in the domain that serves it.
struct XsBackend {
    int home = 0;      ///< the domain that serves it, mostly 0
    std::string type;  ///< "vbd", "vif"
    int domain = 0;    ///< the domain that uses it
    std::string device;
    /// XenbusState; empty: no number stands there, or its domain is gone.
    std::optional<std::int64_t> state;
    bool has_driver = true;  ///< false: known to the kernel that should serve it, served by none
    std::string label;       ///< "xvda", "vif7.0"; only of one that does not serve
    std::optional<std::int64_t> frontend_state;  ///< the same
};

/// What xenstored's tree says at one moment.
struct XenstoreView {
    bool is_oxenstored = false;
    std::vector<XsDomain> domains;  ///< that have entries anywhere, in order of their numbers
    std::vector<XsBackend> backends;
    std::vector<std::string> cut;  ///< lists that were too long to be read as a whole
};

/// Names of XenbusState (xen/include/public/io/xenbus.h): "Connected"; "state 9" for others.
std::string xenbus_state_name(std::optional<std::int64_t> state);
constexpr std::int64_t xenbus_connected = 4;

/// Connected, and somebody is there to serve it.
inline bool serves(const XsBackend& one) {
    return one.state == xenbus_connected && one.has_driver;
}

}  // namespace domkeeper
