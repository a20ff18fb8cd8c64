// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/storage_tables.hpp"

#include "fence/agent_rows.hpp"

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
        .options = {action_row(false),
                    {.name = "plug",
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

Program iscsi_agent_table() {
    return {
        .name = "fence_iscsi",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence agent for iSCSI disks",
        .description =
            "Cuts a host off its iSCSI disks by SCSI-3 persistent reservations, from a machine of "
            "its own: each disk is reserved for those who are registered on it (write exclusive, "
            "all registrants), and the host's key is removed. Off means that every disk named "
            "here was read back so; the host itself runs on, and its writes fail.\n\n"
            "On must run on the host itself, as root: it registers the host's key on the host's "
            "own sessions with the disks. A host does so when it starts, and again whenever a "
            "session was lost, since targets may tie a registration to it.\n\n"
            "Limits: reads go on. A target may forget reservations when it is started again (tgt "
            "does), and one that can't preempt and abort (tgt can't) may finish writes that it "
            "had taken before, for which it is given 0.2 s. A host that registers again by itself "
            "is not held: only start what registers when you have looked at the host.",
        .options = {action_row(false),
                    {.name = "plug",
                     .letter = 'n',
                     .value_name = "KEY",
                     .help = "The key by which the host is registered, for example 0xa1.",
                     .required = true,
                     .aliases = {"port", "key"}},
                    {.name = "disks",
                     .value_name = "DISKS",
                     .help = "Targets and LUNs, such as iqn.2026-01.lab:t1/1, separated by spaces "
                             "or commas.",
                     .required = true},
                    {.name = "hosts",
                     .value_name = "KEYS",
                     .help = "The keys of all hosts that may use the disks, separated by commas: "
                             "with another one registered, off is not proved.",
                     .required = true},
                    ip_row("Address or name of the portal."),
                    ipport_row("TCP port of the portal.", "3260"),
                    username_row("User for CHAP."),
                    {.name = "initiator", .value_name = "IQN", .help = "The name to log in by."}},
        .on_at_target = true};
}

}  // namespace domkeeper
