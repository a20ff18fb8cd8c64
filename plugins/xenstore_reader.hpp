// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "lib/core/xenstore_view.hpp"
#include "lib/port/xenstore.hpp"

namespace domkeeper {

/// What of the tree is wanted.
struct XenstoreQuestions {
    std::string heartbeat;  ///< path below a domain's own, such as "data/heartbeat"; empty: none
    /// Domains may serve devices to others: look for backends below each of them, too.
    bool driver_domains = false;
    /// What the hypervisor knows of domains; null: nothing. Who it knows and whose devices are
    /// connected need not be asked for who they are.
    const std::vector<XenDomain>* live = nullptr;
    std::size_t most_names = 20'000;  ///< of one list
    std::size_t most_questions = 200'000;
    /// Whether a process of that number is a device model; tests give their own.
    std::function<bool(std::int64_t pid)> device_model_runs;
    /// Whether this system's kernel still serves a device of its own; tests give their own.
    std::function<bool(const XsBackend&)> has_driver;
};

/// Reads what the tree says of all domains: six questions for a sound domain with one disk and one
/// network interface, and a few more for one that is not; all domains' questions at once. What a
/// guest wrote is cut to what is needed.
/// Throws what Xenstore throws.
XenstoreView read_xenstore(Xenstore& store, const XenstoreQuestions& questions, Deadline deadline);

}  // namespace domkeeper
