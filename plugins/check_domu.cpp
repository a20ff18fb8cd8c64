// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "lib/app/run.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "plugins/domu.hpp"
#include "plugins/expectations.hpp"
#include "plugins/target.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_domu";
    program.brief = "Check the domains of one host through libvirt.";
    program.description =
        "Asks a host's hypervisor for all its domains at once and says which of them are not in "
        "the state they should be in.\n\n"
        "With --domain those domains must run. With --host and without --domain the cluster file "
        "says what should run; a domain that may run on several hosts must be here when it was "
        "last seen here. With --connect alone each domain that is there must be sound.\n\n"
        "A hypervisor that does not answer is UNKNOWN, with the reason; a domain that is missing, "
        "shut off, crashed, or paused for good is CRITICAL.";
    program.options = domkeeper::target_options();
    program.options.push_back({.name = "domain",
                               .letter = 'd',
                               .value_name = "NAME",
                               .help = "A domain that must run, by name or UUID.",
                               .repeatable = true});
    program.examples = {
        "check_domu --connect qemu+tcp://xen1/system --domain web1\tIs web1 running on xen1?",
        "check_domu --host xen1\tAre the domains on xen1 as the cluster file wants them?"};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    // Threads may still hang inside libvirt: no destructor may run under them.
    std::_Exit(run_check(table(), argc, argv, [](const Arguments& arguments, Deadline deadline) {
        const Target target = read_target(arguments);
        const Expectations wanted = read_expectations(target, arguments.all("domain"));
        LibvirtHypervisor hypervisor(target.uri,
                                     {.read_only = true, .depth = LibvirtDepth::Health});
        return judge_domu(hypervisor.read_host(reading_deadline(deadline, arguments.timeout())),
                          target.name, wanted);
    }));
}
