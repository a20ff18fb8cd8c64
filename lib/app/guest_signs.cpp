// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/guest_signs.hpp"

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

ProbeTarget probe_of(const GuestSign& sign) {
    ProbeTarget target{sign.address, {}};
    if (sign.port != 0) target.tcp_ports = {sign.port};
    target.only_tcp = sign.port != 0;
    return target;
}

SignReport report_of(const ProbeReport& report) {
    return {report.asked, report.answered, printable(report.evidence)};
}

SignReport ask_agent(Hypervisor& hypervisor, const DomainRecord& domain, Deadline deadline) {
    try {
        const bool answers = hypervisor.ask_agent(domain, deadline);
        return {true, answers, answers ? "its agent" : "its agent is silent"};
    } catch (const Error& error) {
        return {false, false, printable(error.what())};
    }
}

}  // namespace domkeeper
