// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cluster_file_row.hpp"
#include "plugins/cluster_check.hpp"
#include "plugins/fence_devices.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_fence";
    program.brief = "Check that every fence device could do its work.";
    program.description =
        "Reads every fence device of every host in the cluster file side by side and switches "
        "nothing. The commonest cause of a recovery that fails is a fence device that died last "
        "month.\n\n"
        "CRITICAL: a device that does not answer, refuses the login, has no such plug or shows no "
        "known state; a plug that reads off while its host lives. WARNING: a host that lives and "
        "is "
        "cut off from its disks; a host without any fence device. A device that is off beside a "
        "silent host is as it should be. UNKNOWN: this machine could not ask.";
    program.options = {domkeeper::cluster_file_row(),
                       {.name = "host",
                        .letter = 'H',
                        .value_name = "NAME",
                        .help = "This host alone.",
                        .monitor_macro = "$HOSTNAME$"}};
    program.examples = {"check_fence -t 8\tEvery device of the cluster, within 8 s."};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    run_cluster_check(
        table(), argc, argv,
        [](const Inventory& inventory, const Arguments& arguments, Deadline deadline) {
            return check_fence_devices(inventory, arguments.text("host"), deadline);
        });
}
