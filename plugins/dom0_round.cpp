// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/dom0_round.hpp"

#include <string>
#include <vector>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/dom0.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/xenctrl.hpp"
#include "lib/io/xenstore_socket.hpp"
#include "plugins/dom0.hpp"
#include "plugins/remembering.hpp"
#include "plugins/target.hpp"
#include "plugins/xen_host.hpp"
#include "plugins/xen_tree.hpp"

namespace domkeeper {
namespace {

/// xenstored may hang; what does not depend on it is told all the same.
std::vector<VifView> read_guest_vifs(const XenHostFacts& facts, Deadline deadline,
                                     std::string& trouble) {
    if (!facts.xen) return {};
    std::vector<int> ids;
    for (const XenDomain& one : facts.xen->domains)
        if (one.id != 0 && !one.dying && !one.shut_down) ids.push_back(one.id);
    try {
        XenstoreSocket store;
        return read_vifs(store, ids, deadline);
    } catch (const Error& error) {
        trouble = error.what();
        return {};
    }
}

XenHostFacts read_xen_host(const XenHostLimits& limits, Deadline deadline) {
    if (!is_dom0()) throw UsageError("--local: this machine is no dom0 of Xen");
    XenHostFacts facts;
    Xenctrl xen;
    try {
        facts.xen = xen.read(deadline);
        facts.messages = xen.messages(deadline);
    } catch (const Error& error) {
        facts.xen_trouble = error.what();
    }
    std::vector<std::string> programs{"xenwatchdogd"};
    for (const std::string& daemon : limits.daemons)
        for (const std::string& name : split(daemon, '/')) programs.push_back(name);
    const Instant now = mono_now();
    std::vector<VifView> vifs = read_guest_vifs(
        facts, deadline.within(now, deadline.remaining(now) / 2), facts.vif_trouble);
    facts.dom0 = read_dom0(programs, std::move(vifs));
    return facts;
}

CheckResult run_local(const Arguments& arguments, Deadline deadline) {
    if (arguments.given("connect") || arguments.given("host"))
        throw UsageError("--local goes without --connect and --host");
    const XenHostLimits limits = read_xen_host_limits(arguments, read_thresholds(arguments).memory);
    const XenHostFacts facts =
        read_xen_host(limits, reading_deadline(deadline, arguments.timeout()));
    return judge_remembering(arguments, "check_dom0", "local", [&](const Recall& recall) {
        return judge_xen_host(facts, limits, recall);
    });
}

}  // namespace

CheckResult run_dom0_round(const Arguments& arguments, Deadline deadline) {
    if (arguments.flag("local")) return run_local(arguments, deadline);
    const Target target = read_target(arguments);
    LibvirtHypervisor hypervisor(target.uri, {.read_only = true, .depth = LibvirtDepth::States});
    return judge_dom0(hypervisor.read_host(reading_deadline(deadline, arguments.timeout())),
                      target.name, read_thresholds(arguments));
}

}  // namespace domkeeper
