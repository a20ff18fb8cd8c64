// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "lib/app/run.hpp"
#include "plugins/domu_round.hpp"

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
        "shut off, crashed, or paused for good is CRITICAL, and with --memory one that is started "
        "again and again.\n\n"
        "With --local, on a Xen host, the hypervisor and xenstored are asked too. CRITICAL: a "
        "domain that dies without end, stopped and was not cleared away, is paused without "
        "libvirt's knowledge, or is gone without it. WARNING: a domain that libvirt does not know; "
        "the domains of a migration that did not end; memory or processors that differ from what "
        "they should be; a cap of processor time that is used up.";
    program.options = domkeeper::domu_options();
    program.examples = {
        "check_domu --connect qemu+tcp://xen1/system --domain web1\tIs web1 running on xen1?",
        "check_domu --host xen1\tAre the domains on xen1 as the cluster file wants them?",
        "check_domu --local --memory /var/lib/domkeeper/memory\tOn a Xen host itself."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    // Threads may still hang inside libvirt: no destructor may run under them.
    std::_Exit(domkeeper::run_check(table(), argc, argv, domkeeper::run_domu_round));
}
