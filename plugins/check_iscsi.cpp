// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <utility>

#include "lib/app/run.hpp"
#include "plugins/initiator.hpp"
#include "plugins/iscsi.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_iscsi";
    program.brief = "Check iSCSI targets from the wire.";
    program.description =
        "Logs in to targets as an initiator of its own and asks: is the disk ready and as large as "
        "it should be, how long do reads of single blocks take, do reads fail, is it write "
        "protected, which hosts are registered on it. It never writes.\n\n"
        "What hinders it is told apart: a silent network, a portal that refuses, a login that is "
        "refused, a target or a LUN that is not there, a target that hangs; each is CRITICAL.\n\n"
        "With --initiator it asks this machine's own kernel instead: its sessions and disks, the "
        "settings that would hide a dead target, and real reads.";
    program.options = domkeeper::iscsi_options();
    for (domkeeper::Option& option : domkeeper::iscsi_initiator_options())
        program.options.push_back(std::move(option));
    program.examples = {
        "check_iscsi --portal san1 --target iqn.2026-01.lab:t1/1=8GiB -c 0.1\t"
        "Is the disk there and as large as it should be, and do reads take up to 0.1 s?",
        "check_iscsi --portal san1 -v\tWhich targets does san1 offer?"};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    // Threads may still hang inside libiscsi: no destructor may run under them.
    std::_Exit(run_check(table(), argc, argv, [](const Arguments& arguments, Deadline deadline) {
        return arguments.flag("initiator") ? check_iscsi_initiator(arguments, deadline)
                                           : check_iscsi_wire(arguments, deadline);
    }));
}
