// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/ipmi_table.hpp"

#include "fence/agent_rows.hpp"

namespace domkeeper {

Program ipmi_agent_table() {
    return {
        .name = "fence_ipmi",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence agent for IPMI",
        .description =
            "Switches a host's power by its baseboard management controller (BMC) and proves it: "
            "off means that the BMC was commanded and then read off, anything else is a failure "
            "with its reason.\n\n"
            "It needs no other program. What a BMC wants (IPMI version, cipher suite, privilege "
            "level, workarounds) is found out by trying unless it is given.",
        .options =
            {ip_row("Address or name of the BMC; several, separated by commas, must all be off."),
             ipport_row("UDP port of the BMC.", "623"),
             username_row("User of the BMC."),
             {.name = "cipher",
              .letter = 'C',
              .type = ValueType::Integer,
              .help = "Cipher suite of IPMI 2.0; without it 3, then 17."},
             {.name = "privlvl",
              .letter = 'L',
              .type = ValueType::Choice,
              .value_name = "LEVEL",
              .help = "Privilege level; without it administrator, then operator.",
              .choices = {"callback", "user", "operator", "administrator"}},
             {.name = "lanplus",
              .letter = 'P',
              .type = ValueType::Flag,
              .help = "Speak IPMI 2.0 alone; without it 2.0, then 1.5."},
             {.name = "auth",
              .letter = 'A',
              .type = ValueType::Choice,
              .help = "Authentication type of IPMI 1.5.",
              .choices = {"md5", "password", "none"}},
             {.name = "hexadecimal_kg",
              .value_name = "KEY",
              .help = "Key of the BMC (K_g), hexadecimal.",
              .secret = true},
             {.name = "target",
              .value_name = "ADDRESS",
              .help = "Bridge the requests to this slave address, for example 0x24."},
             {.name = "soft",
              .type = ValueType::Flag,
              .help = "Before off, ask the operating system to end by itself; off is done "
                      "and proved all the same."},
             {.name = "soft_timeout",
              .type = ValueType::Seconds,
              .help = "Give the operating system this long.",
              .default_value = "20"},
             inet4_only_row(),
             inet6_only_row()},
        .examples = {"fence_ipmi -a 10.0.0.101 -l fence --password_file /etc/bmc -o status\t"
                     "Is the host on?"}};
}

}  // namespace domkeeper
