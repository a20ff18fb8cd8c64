// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <vector>

#include "lib/core/dom0_view.hpp"
#include "lib/port/xenstore.hpp"

namespace domkeeper {

/// Names, memory targets and wanted processors of these domains; all domains' questions at once.
/// Throws what Xenstore throws.
std::map<int, XenTreeView> read_xen_tree(Xenstore& store, const std::vector<int>& domains,
                                         Deadline deadline);

/// Network interfaces that this dom0 serves to these domains, with the bridges that they should be
/// in; what the system says of them is not filled in.
std::vector<VifView> read_vifs(Xenstore& store, const std::vector<int>& domains, Deadline deadline);

}  // namespace domkeeper
