// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cluster_file_row.hpp"
#include "plugins/cluster_check.hpp"
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
        "that nobody works on, a record that can't be written, disarmed for longer than "
        "disarmed_max. UNKNOWN: a host that does not "
        "answer, and the domains last seen there. WARNING: disarmed, hosts of "
        "different versions, autostart of a domain of the cluster file, a record that is too old, "
        "a definition that is not the recorded one, a rule of placement that is broken, and a "
        "host whose loss would leave a domain without a place.";
    program.options = {
        domkeeper::cluster_file_row(),
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
    run_cluster_check(
        table(), argc, argv,
        [](const Inventory& inventory, const Arguments& arguments, Deadline deadline) {
            return run_cluster_round(inventory, arguments, deadline);
        });
}
