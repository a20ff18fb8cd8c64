// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <utility>

#include "lib/app/run.hpp"
#include "plugins/remembering.hpp"
#include "plugins/xenstore_round.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_xenstore";
    program.brief = "Check xenstored on the dom0 that this runs on, and what it says of domains.";
    program.description =
        "Asks xenstored (the C one or oxenstored) and the hypervisor of this machine. Let the "
        "monitor run it on the dom0, as root: by NRPE, check_by_ssh or Icinga's agent.\n\n"
        "CRITICAL: xenstored does not answer, or answers too late; a domain lives and has no "
        "entries, or xenstored does not serve it; a disk or a network interface of a running "
        "guest is closed or gone at the serving end; the device model of a guest is gone; a "
        "heartbeat stands still. WARNING: entries of domains that are gone; a disk or an "
        "interface that never came to be connected; a shutdown that the guest took no note of; "
        "the domains of a migration that did not end; domain ids near their last one. A domain's "
        "share of a quota by its limits: of nodes, and with the C xenstored of watches, "
        "transactions, open requests and memory too.\n\n"
        "With --memory what lasts for less than --grace is not told.";
    program.options = domkeeper::xenstore_options();
    program.options.push_back(domkeeper::memory_option());
    program.options.push_back(
        {.name = "socket",
         .type = domkeeper::ValueType::File,
         .value_name = "FILE",
         .help = "Where xenstored listens; else $XENSTORED_PATH, /run/xenstored/socket or "
                 "/dev/xen/xenbus."});
    program.examples = {
        "check_xenstore --memory /var/lib/domkeeper/memory\tTell what lasts for a minute.",
        "check_xenstore -w 0.05 -c 1 -v\tWarn when an answer takes over 50 ms; show all."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    // Threads may still hang inside a call to the hypervisor: no destructor may run under them.
    std::_Exit(domkeeper::run_check(table(), argc, argv, domkeeper::run_xenstore_round));
}
