// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/host_agent.hpp"
#include "lib/app/cluster_file_row.hpp"

namespace domkeeper {

Program host_agent_table() {
    return {
        .name = "fence_host",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence a host by the levels of the cluster file",
        .description =
            "Takes a host's power, or its disks, by the fence levels that the cluster file has for "
            "it: the first level whose devices all read off proves it. Devices are those of "
            "domkeeper's own agents, driven in this process, and any fence agent in /usr/sbin.\n\n"
            "fence_host HOST means off, at once; given no argument it reads the options of the "
            "fence agent API from standard input, where the plug is the host. Each action and its "
            "outcome are written to the journal first. It asks nobody whether domkeeper is armed "
            "and starts no domain; domkeeper recover HOST does.\n\n"
            "A storage fence cuts the host off from the disks it names and leaves it running. "
            "Before on gives them back, end the host's domains: they would go on writing.",
        .options =
            {{.name = "plug",
              .letter = 'n',
              .value_name = "HOST",
              .help = "Name of the host in the cluster file.",
              .aliases = {"port"}},
             cluster_file_row(),
             {.name = "action",
              .letter = 'o',
              .type = ValueType::Choice,
              .value_name = "ACTION",
              .help = "What to do; without it off for fence_host HOST, else reboot.",
              .default_value = "reboot",
              .choices = {"on", "off", "reboot", "status", "monitor", "list", "list-status",
                          "metadata", "manpage", "validate-all"}},
             {.name = "confirm_off",
              .type = ValueType::Flag,
              .help = "Your recorded word that the host is off takes the place of its devices, and "
                      "the recovery begins. If it is wrong, file systems are destroyed."},
             {.name = "reason",
              .value_name = "TEXT",
              .help = "Why, for the journal; needed with --confirm-off."},
             {.name = "delay",
              .type = ValueType::Seconds,
              .help = "Wait this long before off and reboot, so that of two nodes that fence each "
                      "other one wins.",
              .default_value = "0"},
             {.name = "retry",
              .type = ValueType::Integer,
              .help = "Go through all levels this often.",
              .default_value = "2"},
             {.name = "no_journal",
              .type = ValueType::Flag,
              .help = "Go on when the journal can't be written."},
             {.name = "json",
              .type = ValueType::Flag,
              .help = "Write the outcome as one JSON object."},
             {.name = "nodename", .help = "Accepted and ignored.", .hidden = true},
             {.name = "quiet",
              .letter = 'q',
              .type = ValueType::Flag,
              .help = "Accepted and ignored.",
              .hidden = true}},
        .examples = {"fence_host xen1\tTake xen1's power away, and prove it.",
                     "fence_host xen1 -o status\tIs it on?",
                     "fence_host xen1 --confirm-off --reason 'pulled both plugs'\tNo device "
                     "answers, and you stand beside it."}};
}

}  // namespace domkeeper
