// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xenstore_round.hpp"

#include <set>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/io/dom0.hpp"
#include "lib/io/xenctrl.hpp"
#include "lib/io/xenstore_socket.hpp"
#include "plugins/remembering.hpp"
#include "plugins/target.hpp"

namespace domkeeper {
namespace {

/// Both lists in one, and what is not in both.
void merge_lists(const std::vector<XenDomain>& before, std::vector<XenDomain> after,
                 XenstoreFacts& facts) {
    std::set<int> first;
    for (const XenDomain& one : before) first.insert(one.id);
    for (const XenDomain& one : after)
        if (first.erase(one.id) == 0) facts.passing.insert(one.id);
    for (const XenDomain& one : before)
        if (first.count(one.id) != 0) {
            facts.passing.insert(one.id);
            after.push_back(one);
        }
    facts.live = std::move(after);
}

}  // namespace

XenstoreFacts read_xenstore_facts(Xenstore& store, Xen& xen, XenstoreQuestions questions,
                                  bool is_dom0, Deadline deadline) {
    XenstoreFacts facts;
    // The hypervisor is asked before and after: domains come and go while the tree is read.
    std::vector<XenDomain> before;
    try {
        before = xen.domains(deadline);
        questions.live = &before;
    } catch (const Error& error) {
        facts.hypervisor_trouble = error.what();
    }
    try {
        facts.latency = store.measure(deadline);
        facts.view = read_xenstore(store, questions, deadline);
    } catch (const Unreachable& error) {
        if (!is_dom0)
            throw Unreachable(std::string(error.what()) + "; this machine is no dom0 of Xen");
        facts.silence = std::string(error.what()) + ": it does not run";
    } catch (const TimedOut& error) {
        facts.silence = error.what();
    } catch (const ProtocolError& error) {
        facts.silence = error.what();
    }
    if (!facts.view || !facts.hypervisor_trouble.empty()) return facts;
    try {
        merge_lists(before, xen.domains(deadline), facts);
    } catch (const Error& error) {
        facts.hypervisor_trouble = error.what();
    }
    return facts;
}

CheckResult run_xenstore_round(const Arguments& arguments, Deadline deadline) {
    XenstoreSocket store(arguments.text("socket"));
    Xenctrl xen;
    XenstoreQuestions questions;
    questions.heartbeat = arguments.text("heartbeat");
    questions.driver_domains = arguments.flag("driver-domains");
    questions.device_model_runs = runs_device_model;
    questions.has_driver = has_xen_driver;
    const XenstoreFacts facts = read_xenstore_facts(
        store, xen, questions, is_dom0(), reading_deadline(deadline, arguments.timeout()));
    return judge_remembering(arguments, "check_xenstore", {}, [&](const Recall& recall) {
        return judge_xenstore(facts, read_xenstore_limits(arguments), recall);
    });
}

}  // namespace domkeeper
