// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/record.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// What somebody wants of one domain on this host.
struct Expectation {
    std::string name{};  ///< or its UUID
    Expected expect = Expected::Running;
    /// False: it may just as well run on another host, so that missing here says nothing.
    bool must_be_here = true;
    std::string why{};  ///< "last seen here"; empty: it was asked for
};

struct Expectations {
    /// Empty: nothing in particular; each domain that is there must be sound.
    std::optional<std::vector<Expectation>> domains;
    std::string note;  ///< what was not known when they were made; empty: nothing
};

/// What the cluster file, and the record where there is one, want of `host`: a domain must be here
/// when it may run nowhere else, or when it was last seen active here.
std::vector<Expectation> expected_on(const Inventory& inventory, const std::string& host,
                                     const ClusterRecord* record);

/// One domain that is there: its state with reason, against what is wanted. Running (or blocked,
/// Xen's word for waiting) is the only state that is Ok for a domain that should run; paused is
/// never Ok; a domain that should be off is Ok when it is off. A state that could not be read is
/// Unknown, unless what is known of it is worse.
CheckResult judge_domain(const DomainView& domain, Expected expect);

/// The whole host. Without expectations every domain is judged by itself: a running one must be
/// sound, and one that is off is Ok unless it crashed or is meant to start with the host.
CheckResult judge_domu(const HostView& view, const std::string& host,
                       const Expectations& expectations);

}  // namespace domkeeper
