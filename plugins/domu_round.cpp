// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/domu_round.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/dom0.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/xenctrl.hpp"
#include "lib/io/xenstore_socket.hpp"
#include "plugins/domu.hpp"
#include "plugins/expectations.hpp"
#include "plugins/remembering.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"
#include "plugins/xen_guests.hpp"
#include "plugins/xen_tree.hpp"

namespace domkeeper {
namespace {

/// libvirt of a Xen host, seen from its own dom0.
constexpr const char* local_uri = "xen:///system";

/// Adds what was found beside libvirt's own view, and words the whole again.
CheckResult together(CheckResult result, std::vector<CheckResult> more) {
    for (CheckResult& one : more) result.parts.push_back(std::move(one));
    if (const std::string wrong = what_is_wrong(result.parts); !wrong.empty())
        result.summary = wrong;
    return result;
}

Target local_target(const Arguments& arguments) {
    Target target;
    if (arguments.given("connect") || arguments.given("host")) target = read_target(arguments);
    if (target.uri.empty()) {
        target.name = "this host";
        target.uri = local_uri;
    }
    return target;
}

/// What is known of the guests beside libvirt; what could not be asked is a part that says so.
XenGuests read_guests(Deadline deadline, std::vector<CheckResult>& parts) {
    XenGuests guests;
    Xenctrl xen;
    guests.xen = xen.read(deadline);
    std::vector<int> ids;
    for (const XenDomain& one : guests.xen.domains)
        if (one.id != 0) ids.push_back(one.id);
    const Instant now = mono_now();
    try {
        XenstoreSocket store;
        guests.tree = read_xen_tree(store, ids, deadline.within(now, deadline.remaining(now) / 3));
    } catch (const Error& error) {
        parts.push_back(part(Status::Unknown, printable(error.what())));
    }
    return guests;
}

CheckResult run_local(const Arguments& arguments, Deadline deadline) {
    if (!is_dom0()) throw UsageError("--local: this machine is no dom0 of Xen");
    const GuestLimits limits = read_guest_limits(arguments);
    const Target target = local_target(arguments);
    const Expectations wanted = read_expectations(target, arguments.all("domain"));
    const Deadline until = reading_deadline(deadline, arguments.timeout());
    std::vector<CheckResult> more;
    // libvirt between two looks at the hypervisor: a domain that came or went meanwhile is
    // neither a stranger nor lost.
    XenGuests guests = read_guests(until, more);
    LibvirtHypervisor hypervisor(target.uri, {.read_only = true, .depth = LibvirtDepth::Health});
    try {
        guests.libvirt = hypervisor.read_host(until);
        Xenctrl xen;
        std::vector<int> ids;
        for (const XenDomain& one : guests.xen.domains) ids.push_back(one.id);
        const auto after = xen.domains(until);
        const auto lives = [&](int id) {
            return std::any_of(after.begin(), after.end(),
                               [&](const XenDomain& one) { return one.id == id; });
        };
        std::erase_if(guests.xen.domains, [&](const XenDomain& one) { return !lives(one.id); });
        for (const XenDomain& one : after)
            if (!std::binary_search(ids.begin(), ids.end(), one.id)) guests.fresh.insert(one.id);
    } catch (const Error& error) {
        more.push_back(part(Status::Unknown, printable(error.what())));
    }
    return judge_remembering(arguments, "check_domu", "local", [&](const Recall& recall) {
        CheckResult seen;
        if (guests.libvirt) {
            seen = judge_domu(*guests.libvirt, target.name, wanted);
            for (CheckResult& one : judge_restarts(*guests.libvirt, limits, recall))
                more.push_back(std::move(one));
        }
        for (CheckResult& one : judge_xen_guests(guests, limits, recall))
            more.push_back(std::move(one));
        return together(std::move(seen), std::move(more));
    });
}

}  // namespace

std::vector<Option> domu_options() {
    std::vector<Option> options = target_options();
    options.push_back({.name = "domain",
                       .letter = 'd',
                       .value_name = "NAME",
                       .help = "A domain that must run, by name or UUID.",
                       .repeatable = true});
    options.push_back({.name = "local",
                       .type = ValueType::Flag,
                       .help =
                           "On a Xen host's dom0: ask the hypervisor and xenstored too; libvirt "
                           "is xen:///system unless --connect or --host names another. Needs "
                           "root."});
    for (Option& option : guest_options()) options.push_back(std::move(option));
    options.push_back(memory_option());
    return options;
}

CheckResult run_domu_round(const Arguments& arguments, Deadline deadline) {
    if (arguments.flag("local")) return run_local(arguments, deadline);
    const GuestLimits limits = read_guest_limits(arguments);
    const Target target = read_target(arguments);
    const Expectations wanted = read_expectations(target, arguments.all("domain"));
    LibvirtHypervisor hypervisor(target.uri, {.read_only = true, .depth = LibvirtDepth::Health});
    const HostView view = hypervisor.read_host(reading_deadline(deadline, arguments.timeout()));
    return judge_remembering(arguments, "check_domu", target.name, [&](const Recall& recall) {
        return together(judge_domu(view, target.name, wanted),
                        judge_restarts(view, limits, recall));
    });
}

}  // namespace domkeeper
