// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent_rows.hpp"

#include <utility>

namespace domkeeper {

Option action_row(bool with_reboot) {
    Option row{.name = "action",
               .letter = 'o',
               .type = ValueType::Choice,
               .value_name = "ACTION",
               .help = "What to do.",
               .default_value = with_reboot ? "reboot" : "off",
               .choices = {"on", "off"}};
    if (with_reboot) row.choices.push_back("reboot");
    for (const char* other :
         {"status", "monitor", "list", "list-status", "metadata", "manpage", "validate-all"})
        row.choices.push_back(other);
    return row;
}

Option ip_row(std::string help) {
    return {.name = "ip",
            .letter = 'a',
            .value_name = "ADDRESS",
            .help = std::move(help),
            .required = true,
            .aliases = {"ipaddr"}};
}

Option ipport_row(std::string help, std::string port) {
    return {.name = "ipport",
            .letter = 'u',
            .type = ValueType::Integer,
            .value_name = "PORT",
            .help = std::move(help),
            .default_value = std::move(port)};
}

Option username_row(std::string help) {
    return {.name = "username",
            .letter = 'l',
            .value_name = "NAME",
            .help = std::move(help),
            .aliases = {"login"}};
}

Option inet4_only_row() {
    return {
        .name = "inet4_only", .letter = '4', .type = ValueType::Flag, .help = "Use IPv4 alone."};
}

Option inet6_only_row() {
    return {
        .name = "inet6_only", .letter = '6', .type = ValueType::Flag, .help = "Use IPv6 alone."};
}

}  // namespace domkeeper
