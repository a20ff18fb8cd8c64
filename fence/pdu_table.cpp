// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/pdu_table.hpp"

#include "fence/agent_rows.hpp"

namespace domkeeper {

Program pdu_agent_table() {
    return {
        .name = "fence_pdu",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence agent for power strips and switch ports over SNMP",
        .description =
            "Switches outlets of a power strip by SNMP and proves it: off means that every outlet "
            "it was given reads off in one answer, by the values that its maker documents. An "
            "outlet that does not exist, a reading that is not documented, a pending command and a "
            "metered outlet that still measures current are failures, each with its reason.\n\n"
            "Families of strips are described by files: share/domkeeper/pdu/*.toml, and your own "
            "in "
            "/etc/domkeeper/pdu. Which one a strip belongs to is found out by its sysObjectID, or "
            "named with --family; ifmib, the ports of a network switch, must be named, and takes "
            "away the network, not the power. Several addresses are several strips, each with the "
            "same outlets. Nothing is written to disk and no MIB is read.",
        .options =
            {ip_row("Address or name of the strip; several are separated by commas."),
             ipport_row("UDP port of the strip.", "161"),
             {.name = "plug",
              .letter = 'n',
              .value_name = "OUTLET",
              .help =
                  "Number or name of the outlet; several, separated by commas, must all be off. "
                  "Of strips in a chain UNIT.NUMBER.",
              .aliases = {"port"}},
             {.name = "family",
              .value_name = "NAME",
              .help = "Family of the strip (apc_rpdu, apc_rpdu2, apc_spdu, raritan_px, eaton_epdu, "
                      "ifmib, or one of your own); without it found out by asking."},
             username_row("User of SNMP version 3."),
             {.name = "community",
              .letter = 'c',
              .help =
                  "Community of versions 1 and 2c; private if left out. Better on standard input "
                  "or in a file.",
              .secret = true},
             {.name = "community_file",
              .type = ValueType::File,
              .help = "File with the community in its first line, closed to other users."},
             {.name = "snmp_version",
              .letter = 'd',
              .type = ValueType::Choice,
              .help = "Version of SNMP; without it 1, and 2c where a community alone is given.",
              .choices = {"1", "2c", "3"}},
             {.name = "snmp_sec_level",
              .letter = 'E',
              .type = ValueType::Choice,
              .help = "Security level of version 3; without it what the passwords are enough for.",
              .choices = {"noAuthNoPriv", "authNoPriv", "authPriv"}},
             {.name = "snmp_auth_prot",
              .letter = 'b',
              .type = ValueType::Choice,
              .help = "Protocol of authentication; without it MD5.",
              .choices = {"MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"}},
             {.name = "snmp_priv_prot",
              .letter = 'B',
              .type = ValueType::Choice,
              .help = "Protocol of privacy; without it DES.",
              .choices = {"DES", "AES"}},
             {.name = "snmp_priv_passwd",
              .letter = 'P',
              .help = "Password of privacy. Better on standard input or in a file.",
              .secret = true},
             {.name = "snmp_priv_passwd_file",
              .type = ValueType::File,
              .help =
                  "File with the password of privacy in its first line, closed to other users."},
             {.name = "snmp_priv_passwd_script",
              .letter = 'R',
              .type = ValueType::File,
              .help = "Program that prints the password of privacy."},
             inet4_only_row(),
             inet6_only_row()},
        .examples = {
            "fence_pdu -a strip-a -n 3 --community_file /etc/strip -o status\tIs outlet 3 on?",
            "fence_pdu -a strip-a,strip-b -n 3 --community_file /etc/strip -o off\tBoth supplies "
            "of "
            "a host off."}};
}

}  // namespace domkeeper
