// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "lib/app/run.hpp"
#include "lib/io/toml_config.hpp"
#include "plugins/cluster_round.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_cluster";
    program.brief = "Check the whole cluster and refresh the record of what runs where.";
    program.description =
        "Reads all hosts of the cluster file side by side and writes down which domain runs where "
        "and how it is defined: the record that a recovery needs when a host can't be asked any "
        "more. Let the monitor run it every few seconds.\n\n"
        "CRITICAL: a domain active on two hosts, an expected domain that runs nowhere, an incident "
        "that nobody works on, a record that can't be written. UNKNOWN: a host that does not "
        "answer, and the domains last seen there. WARNING: disarmed, hosts of "
        "different versions, autostart of a domain of the cluster file, a record that is too old.";
    program.options = {
        {.name = "config",
         .letter = 'C',
         .type = domkeeper::ValueType::File,
         .value_name = "FILE",
         .help = "The cluster file; else $DOMKEEPER_CONFIG or /etc/domkeeper/domkeeper.toml."},
        {.name = "host-time",
         .type = domkeeper::ValueType::Seconds,
         .help = "Wait for a host at most this long; the others are recorded all the same.",
         .default_value = "2"}};
    program.examples = {"check_cluster -t 8\tEnd within 8 s, whatever hangs."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    // Threads may still hang inside libvirt: no destructor may run under them.
    std::_Exit(run_check(table(), argc, argv, [](const Arguments& arguments, Deadline deadline) {
        const Inventory inventory = load_inventory(config_path(arguments.text("config")));
        return run_cluster_round(inventory, arguments, deadline);
    }));
}
