// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/dom0_view.hpp"
#include "lib/core/domain.hpp"
#include "lib/core/memory.hpp"
#include "lib/core/result.hpp"
#include "lib/core/xen.hpp"

namespace domkeeper {

struct GuestLimits {
    Duration grace{60'000};  ///< what passes sooner is not told
    int restarts = 3;        ///< so many within the time below are a loop
    Duration restart_time{3'600'000};
};

/// --grace, --restarts and --restart-time.
std::vector<Option> guest_options();
/// Throws UsageError for a number of restarts below 1.
GuestLimits read_guest_limits(const Arguments& arguments);

/// Domains that come again and again under a new number. Of all that libvirt lists, on any
/// hypervisor; a restart is seen only between two runs with a memory. Parts for those alone that
/// are in a loop.
std::vector<CheckResult> judge_restarts(const HostView& view, const GuestLimits& limits,
                                        const Recall& recall);

/// What a dom0 knows of its guests.
struct XenGuests {
    XenView xen;
    std::set<int> fresh;              ///< domains that began after `xen` was read
    std::map<int, XenTreeView> tree;  ///< by number
    std::optional<HostView> libvirt;  ///< empty: it did not answer
};

/// What only the hypervisor and the tree show: domains that libvirt doesn't know or that are gone
/// without its knowledge, domains that die without end or stand still, memory and processors that
/// were promised and not had, a cap that is used up. Parts for what is wrong, and one that is Ok
/// for each sound guest.
std::vector<CheckResult> judge_xen_guests(const XenGuests& guests, const GuestLimits& limits,
                                          const Recall& recall);

}  // namespace domkeeper
