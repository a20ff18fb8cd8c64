// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/memory.hpp"
#include "lib/core/range.hpp"
#include "lib/core/result.hpp"
#include "lib/core/xenstore_view.hpp"
#include "lib/port/xenstore.hpp"

namespace domkeeper {

struct XenstoreFacts {
    std::string silence;  ///< why xenstored gave no answer; empty: it did
    std::optional<Xenstore::Latency> latency;
    std::optional<XenstoreView> view;
    /// Domains that lived before or after the tree was read; empty: the hypervisor could not be
    /// asked.
    std::optional<std::vector<XenDomain>> live;
    std::set<int> passing;           ///< those of them that lived only before or only after
    std::string hypervisor_trouble;  ///< and why
};

struct XenstoreLimits {
    Threshold time;          ///< seconds of each kind of answer
    Threshold quota;         ///< percent of a quota
    Threshold id;            ///< the highest number of a domain
    Duration grace{60'000};  ///< what passes sooner is not told
    Duration shutdown_time{300'000};
    Duration incoming_time{900'000};
    Duration heartbeat_time{120'000};
};

std::vector<Option> xenstore_options();
XenstoreLimits read_xenstore_limits(const Arguments& arguments);

/// xenstored's health and what its tree says of the domains. Silence is Critical: that it answers
/// is what is checked. Things that may be passing are told when they have lasted, or at once
/// where nothing is remembered.
CheckResult judge_xenstore(const XenstoreFacts& facts, const XenstoreLimits& limits,
                           const Recall& recall);

}  // namespace domkeeper
