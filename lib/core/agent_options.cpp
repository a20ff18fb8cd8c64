// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/agent_options.hpp"

#include <algorithm>
#include <array>

#include "lib/core/domain_disks.hpp"
#include "lib/core/text.hpp"
#include "lib/core/units.hpp"

namespace domkeeper {
namespace {

constexpr std::array<AgentOption, 17> ipmi_options{{
    {"ip", OptionForm::Address, true},
    {"ipport", OptionForm::Port, false},
    {"username", OptionForm::Text, false},
    {"cipher", OptionForm::Number, false},
    {"privlvl", OptionForm::Text, false},
    {"lanplus", OptionForm::Switch, false},
    {"auth", OptionForm::Text, false},
    {"target", OptionForm::Text, false},
    {"plug", OptionForm::Text, false},
    {"method", OptionForm::Text, false},
    {"inet4_only", OptionForm::Switch, false},
    {"inet6_only", OptionForm::Switch, false},
    {"timeout", OptionForm::Seconds, false},
    {"delay", OptionForm::Seconds, false},
    {"login_timeout", OptionForm::Seconds, false},
    {"power_timeout", OptionForm::Seconds, false},
    {"power_wait", OptionForm::Seconds, false},
}};

constexpr std::array<AgentOption, 8> aoe_options{{
    {"disks", OptionForm::Disks, true},
    {"interface", OptionForm::Text, true},
    {"plug", OptionForm::Text, true},
    {"hosts", OptionForm::Text, true},
    {"timeout", OptionForm::Seconds, false},
    {"login_timeout", OptionForm::Seconds, false},
    {"power_timeout", OptionForm::Seconds, false},
    {"power_wait", OptionForm::Seconds, false},
}};

constexpr std::array<AgentOption, 11> iscsi_options{{
    {"disks", OptionForm::Disks, true},
    {"ip", OptionForm::Address, true},
    {"ipport", OptionForm::Port, false},
    {"username", OptionForm::Text, false},
    {"hosts", OptionForm::Text, true},
    {"plug", OptionForm::Text, true},
    {"initiator", OptionForm::Text, false},
    {"timeout", OptionForm::Seconds, false},
    {"login_timeout", OptionForm::Seconds, false},
    {"power_timeout", OptionForm::Seconds, false},
    {"power_wait", OptionForm::Seconds, false},
}};

constexpr std::array<AgentOption, 21> pdu_options{{
    {"ip", OptionForm::Address, true},
    {"plug", OptionForm::Text, true},
    {"plug_separator", OptionForm::Text, false},
    {"family", OptionForm::Text, false},
    {"disks", OptionForm::Disks, false},
    {"ipport", OptionForm::Port, false},
    {"username", OptionForm::Text, false},
    {"snmp_version", OptionForm::Text, false},
    {"snmp_sec_level", OptionForm::Text, false},
    {"snmp_auth_prot", OptionForm::Text, false},
    {"snmp_priv_prot", OptionForm::Text, false},
    {"community_file", OptionForm::Text, false},
    {"snmp_priv_passwd_file", OptionForm::Text, false},
    {"inet4_only", OptionForm::Switch, false},
    {"inet6_only", OptionForm::Switch, false},
    {"timeout", OptionForm::Seconds, false},
    {"delay", OptionForm::Seconds, false},
    {"login_timeout", OptionForm::Seconds, false},
    {"shell_timeout", OptionForm::Seconds, false},
    {"power_timeout", OptionForm::Seconds, false},
    {"power_wait", OptionForm::Seconds, false},
}};

constexpr std::array<AgentOption, 3> aoe_storage_options{{
    {"disks", OptionForm::Disks, true},
    {"interface", OptionForm::Text, true},
    {"paths", OptionForm::Text, false},
}};

constexpr std::array<AgentOption, 6> iscsi_storage_options{{
    {"disks", OptionForm::Disks, true},
    {"ip", OptionForm::Address, true},
    {"ipport", OptionForm::Port, false},
    {"username", OptionForm::Text, false},
    {"initiator", OptionForm::Text, false},
    {"paths", OptionForm::Text, false},
}};

constexpr std::array<AgentOptions, 2> storages{{
    {"aoe", DeviceKind::Storage, aoe_storage_options},
    {"iscsi", DeviceKind::Storage, iscsi_storage_options},
}};

constexpr std::array<AgentOptions, 4> agents{{
    {"fence_ipmi", DeviceKind::Power, ipmi_options},
    {"fence_pdu", DeviceKind::Power, pdu_options},
    {"fence_aoe", DeviceKind::Storage, aoe_options},
    {"fence_iscsi", DeviceKind::Storage, iscsi_options},
}};

/// Agents of the package fence-agents that cut a host off from storage or network, not power.
constexpr std::array<std::string_view, 9> fabric_agents{
    {"fence_scsi", "fence_mpath", "fence_brocade", "fence_cisco_mds", "fence_ifmib",
     "fence_sanbox2", "fence_hds_cb", "fence_sbd", "fence_ack_manual"}};

bool is_number(std::string_view value, std::int64_t least, std::int64_t most) {
    const auto number = parse_integer(value);
    return number && *number >= least && *number <= most;
}

bool is_text(std::string_view value) {
    return !value.empty() && value.size() <= 256 &&
           std::none_of(value.begin(), value.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_seconds(std::string_view value) {
    if (const auto span = parse_duration(value)) return span->count() <= 86'400'000;
    const auto number = parse_number(value);
    return number && *number >= 0 && *number <= 86'400;
}

}  // namespace

std::span<const AgentOptions> known_agents() {
    return agents;
}

std::span<const AgentOptions> known_storages() {
    return storages;
}

std::string option_of(const FenceDevice& device, const std::string& name) {
    const auto found = device.options.find(name);
    return found == device.options.end() ? std::string() : found->second;
}

bool is_external_agent(std::string_view agent) {
    for (const std::string_view folder : {"/usr/sbin/fence_", "/usr/local/sbin/fence_"}) {
        if (!starts_with(agent, folder)) continue;
        agent.remove_prefix(folder.size());
        return !agent.empty() && agent.size() <= 64 &&
               std::all_of(agent.begin(), agent.end(), [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
               });
    }
    return false;
}

bool is_secret_option(std::string_view name) {
    return name == "password" || name == "passwd" || name == "community" ||
           name == "snmp_priv_passwd";
}

Coverage configured_coverage(const FenceDevice& device) {
    const auto disks = device.options.find("disks");
    if (disks != device.options.end())
        return Coverage::of_disks(
            parse_disk_units(disks->second).value_or(std::set<std::string>{}));
    if (is_external_agent(device.agent)) {
        const std::string_view name =
            std::string_view(device.agent).substr(device.agent.rfind('/') + 1);
        const bool fabric =
            std::find(fabric_agents.begin(), fabric_agents.end(), name) != fabric_agents.end();
        return fabric ? Coverage{} : Coverage::everything();
    }
    if (const auto family = device.options.find("family");
        family != device.options.end() && family->second == "ifmib")
        return {};
    for (const AgentOptions& known : agents)
        if (known.agent == device.agent && known.kind == DeviceKind::Power)
            return Coverage::everything();
    return {};
}

std::optional<std::string> wrong_option(OptionForm form, std::string_view value) {
    const auto unless = [](bool right, const char* text) {
        return right ? std::nullopt : std::optional<std::string>(text);
    };
    switch (form) {
        case OptionForm::Text: return unless(is_text(value), "a text without control bytes");
        case OptionForm::Address:
            return unless(valid_address(value), "an IP address or a host name");
        case OptionForm::Port: return unless(is_number(value, 1, 65535), "a port from 1 to 65535");
        case OptionForm::Number: return unless(is_number(value, 0, 1'000'000), "a number");
        case OptionForm::Seconds:
            return unless(is_seconds(value), "a time such as \"20s\", at most a day");
        case OptionForm::Switch:
            return unless(value == "0" || value == "1" || value == "true" || value == "false",
                          "true or false");
        case OptionForm::Disks:
            return unless(parse_disk_units(value).has_value(),
                          "disks such as \"e7.1\" (AoE) or \"iqn.2026-01.lab:t1/1\" (iSCSI target "
                          "and LUN), separated by spaces");
    }
    return std::nullopt;
}

bool valid_address(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
    };
    return !text.empty() && text.size() <= 253 && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), fits);
}

}  // namespace domkeeper
