// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <utility>

#include "lib/app/run.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "plugins/dom0.hpp"
#include "plugins/target.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_dom0";
    program.brief = "Check a host's hypervisor through libvirt.";
    program.description =
        "Asks a host's hypervisor who it is and what it has left: versions, memory, the number of "
        "domains, and how long the whole answer took.\n\n"
        "A hypervisor that does not answer in time is UNKNOWN, with the reason.";
    program.options = domkeeper::target_options();
    for (domkeeper::Option& option : domkeeper::threshold_options())
        program.options.push_back(std::move(option));
    program.examples = {
        "check_dom0 --host xen1 -w 1 -c 5 --memory-warning 10:\t"
        "Warn when the answer takes over 1 s or under 10 % of memory are left."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    // Threads may still hang inside libvirt: no destructor may run under them.
    std::_Exit(run_check(table(), argc, argv, [](const Arguments& a, Deadline deadline) {
        const Target target = read_target(a);
        LibvirtHypervisor hypervisor(target.uri,
                                     {.read_only = true, .depth = LibvirtDepth::States});
        return judge_dom0(hypervisor.read_host(reading_deadline(deadline, a.timeout())),
                          target.name, read_thresholds(a));
    }));
}
