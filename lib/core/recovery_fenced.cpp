// SPDX-License-Identifier: GPL-3.0-or-later
// What is remembered of a host that was fenced, and what happens when it is said to be up again.
#include "lib/core/maintenance.hpp"
#include "lib/core/recovery_stepper.hpp"

namespace domkeeper {

/// Written with the intent to fence, not with its outcome: a fence that failed may have cut the
/// host off from some of its disks, and nobody would know of it later.
void RecoveryStepper::mark_fenced(HostCase& host_case) {
    if (host_case.marked) return;
    host_case.marked = true;
    FencedHost fenced{host_case.host, host_case.id, context_.now.wall, {}};
    for (const DomainCase& domain :
         wanted_domains(context_.inventory, context_.record, host_case.host).domains)
        fenced.domains.push_back(domain.record.name);
    step_.fenced.push_back(std::move(fenced));
}

const Maintenance* RecoveryStepper::fenced_mark(const std::string& host) const {
    const Maintenance* mark = find_mark(context_.marks, host);
    return mark != nullptr && mark->fenced ? mark : nullptr;
}

void RecoveryStepper::order_return(const std::string& host) {
    step_.returns.push_back({host, policy().failback != Failback::Auto});
}

void RecoveryStepper::host_up(const HostEvent& event) {
    const Maintenance* mark = fenced_mark(event.host);
    if (mark == nullptr || event.type == StateType::Soft || mark->has_work()) return;
    if (returns_by_itself(policy(), *mark)) return order_return(event.host);
    const std::string text =
        "it is up again since it was fenced, and stays out of use: "
        "`domkeeper return " +
        event.host + "` takes it in";
    step_.entries.push_back(
        {0, context_.now.wall, EntryKind::Event, StepKind::Return, event.host, {}, {}, true, text});
    act(Notify{"host " + event.host + ": " + text});
}

/// At the end of an incident whose host came up meanwhile: the monitor says so only once.
void RecoveryStepper::return_if_up(const HostCase& host_case) {
    if (!host_case.marked || !host_case.said_up) return;
    const Maintenance* mark = find_mark(context_.marks, host_case.host);
    if (mark == nullptr || returns_by_itself(policy(), *mark)) order_return(host_case.host);
}

bool returns_by_itself(const Policy& policy, const Maintenance& mark) {
    return policy.failback != Failback::Manual && mark.who == marked_by_itself;
}

}  // namespace domkeeper
