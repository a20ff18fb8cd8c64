// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>
#include <utility>

#include "lib/app/run.hpp"
#include "plugins/aoe.hpp"
#include "plugins/initiator.hpp"

namespace {

domkeeper::Program table() {
    domkeeper::Program program;
    program.name = "check_aoe";
    program.brief = "Check ATA-over-Ethernet targets from the wire.";
    program.description =
        "Asks the targets themselves, by frames of its own: who answers for which address, how "
        "large the disk is, how long reads of single sectors take, whether reads fail, for whom it "
        "is reserved, and whether two targets have one address. It never writes.\n\n"
        "A target that is expected and does not answer is CRITICAL, and so is an interface without "
        "a link; frames lost or doubled on the way are a WARNING.\n\n"
        "With --initiator it asks this machine's own kernel instead (Linux's aoe driver), and "
        "reads "
        "its disks: the driver says \"up\" for long while every read hangs.\n\n"
        "It needs the capability CAP_NET_RAW (setcap cap_net_raw+ep check_aoe), which it gives up "
        "right after opening its socket.";
    program.options = domkeeper::aoe_options();
    for (domkeeper::Option& option : domkeeper::aoe_initiator_options())
        program.options.push_back(std::move(option));
    program.examples = {
        "check_aoe --interface eth1 --target 7.3=8GiB -c 0.1\t"
        "Is the disk 7.3 there and as large as it should be, and do reads take up to 0.1 s?",
        "check_aoe --interface eth1\tWhat answers on eth1?"};
    return program;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace domkeeper;
    PacketSocket socket = PacketSocket::open_and_drop_privilege();
    const int code =
        run_check(table(), argc, argv, [&](const Arguments& arguments, Deadline deadline) {
            if (arguments.flag("initiator")) return check_aoe_initiator(arguments, deadline);
            return check_aoe_wire(socket, arguments, deadline);
        });
    socket.leave();
    std::_Exit(code);
}
