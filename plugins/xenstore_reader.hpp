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
    std::size_t most_names = 20'000;  ///< of one list
    std::size_t most_questions = 200'000;
    /// Whether a process of that number is a device model; tests give their own.
    std::function<bool(std::int64_t pid)> device_model_runs;
};

/// Reads what the tree says of all domains: some nine questions for a domain with one disk and one
/// network interface, all domains' questions at once. What a guest wrote is cut to what is needed.
/// Throws what Xenstore throws.
XenstoreView read_xenstore(Xenstore& store, const XenstoreQuestions& questions, Deadline deadline);

}  // namespace domkeeper
