// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"
#include "lib/port/xen.hpp"
#include "plugins/xenstore.hpp"
#include "plugins/xenstore_reader.hpp"

namespace domkeeper {

/// Asks xenstored and the hypervisor; silence of either is a fact. Throws Denied when this user
/// may not ask xenstored, and Unreachable where there is no Xen at all.
XenstoreFacts read_xenstore_facts(Xenstore& store, Xen& xen, XenstoreQuestions questions,
                                  bool is_dom0, Deadline deadline);

/// One run of check_xenstore.
CheckResult run_xenstore_round(const Arguments& arguments, Deadline deadline);

}  // namespace domkeeper
