// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/storage_tables.hpp"

namespace domkeeper {

Program aoe_agent_table() {
    return {
        .name = "fence_aoe",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence agent for AoE disks",
        .description =
            "Cuts a host off its AoE disks: each target is told to serve the other hosts alone "
            "(reserve), and asked again. Off means that every disk named here is reserved and "
            "lets none of the host's cards in; the host itself runs on. On lets the host in "
            "again; when nobody is left outside, the reservation is released.\n\n"
            "It needs the capability CAP_NET_RAW. This machine's own card is let in too while "
            "somebody is cut off.\n\n"
            "Limits: a target that is started again has forgotten its reservation. A host that "
            "forges another's MAC address, or releases the reservation itself, is not held: it "
            "stops a host that is dead, hangs or lost its network, not a malicious one.",
        .options = {{.name = "plug",
                     .letter = 'n',
                     .value_name = "MAC",
                     .help = "MAC addresses of the host's cards, separated by commas.",
                     .required = true,
                     .aliases = {"port"}},
                    {.name = "disks",
                     .value_name = "TARGETS",
                     .help = "The AoE targets, such as e7.1, separated by spaces or commas.",
                     .required = true},
                    {.name = "hosts",
                     .value_name = "MACS",
                     .help = "MAC addresses of all hosts that may use the disks when none is cut "
                             "off, separated by commas.",
                     .required = true},
                    {.name = "interface",
                     .letter = 'i',
                     .value_name = "IF",
                     .help = "The network interface of this machine that leads to the targets.",
                     .required = true}}};
}

}  // namespace domkeeper
