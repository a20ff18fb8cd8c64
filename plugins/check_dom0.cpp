// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <utility>

#include "lib/app/run.hpp"
#include "plugins/dom0.hpp"
#include "plugins/dom0_round.hpp"
#include "plugins/remembering.hpp"
#include "plugins/target.hpp"
#include "plugins/xen_host.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_dom0";
    program.brief = "Check a host's hypervisor through libvirt, or a Xen host on its own dom0.";
    program.description =
        "Asks a host's hypervisor who it is and what it has left: versions, memory, the number of "
        "domains, and how long the whole answer took.\n\n"
        "A hypervisor that does not answer in time is UNKNOWN, with the reason.\n\n"
        "With --local, on a Xen host: CRITICAL: a daemon does not run or is stopped; an interface "
        "of a guest is not in its bridge, or that bridge is gone or down. WARNING: xendomains "
        "would start domains with the host; the clock is not right; with --memory, what the "
        "hypervisor said of crashes, lack of memory and broken hardware, and errors of guests' "
        "interfaces since the last run. Memory and load by their limits.";
    program.options = domkeeper::target_options();
    for (domkeeper::Option& option : domkeeper::threshold_options())
        program.options.push_back(std::move(option));
    for (domkeeper::Option& option : domkeeper::xen_host_options())
        program.options.push_back(std::move(option));
    program.options.push_back(domkeeper::memory_option());
    program.examples = {
        "check_dom0 --host xen1 -w 1 -c 5 --memory-warning 10:\t"
        "Warn when the answer takes over 1 s or under 10 % of memory are left.",
        "check_dom0 --local --memory /var/lib/domkeeper/memory --watchdog\t"
        "On the dom0 itself; xenwatchdogd must run."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    // Threads may still hang inside libvirt: no destructor may run under them.
    std::_Exit(domkeeper::run_check(table(), argc, argv, domkeeper::run_dom0_round));
}
