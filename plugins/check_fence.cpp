// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "lib/app/run.hpp"
#include "lib/io/toml_config.hpp"
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
    program.options = {
        {.name = "config",
         .letter = 'C',
         .type = domkeeper::ValueType::File,
         .value_name = "FILE",
         .help = "The cluster file; else $DOMKEEPER_CONFIG or /etc/domkeeper/domkeeper.toml."},
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
    // Threads may still hang in a device's library: no destructor may run under them.
    std::_Exit(run_check(table(), argc, argv, [](const Arguments& arguments, Deadline deadline) {
        const Inventory inventory = load_inventory(config_path(arguments.text("config")));
        return check_fence_devices(inventory, arguments.text("host"), deadline);
    }));
}
