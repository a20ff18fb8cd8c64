// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/pdu_switch.hpp"
#include "lib/io/secret_file.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_plugs = 64;
/// RFC 3414, 11.2: shorter passphrases are refused by every agent.
constexpr std::size_t shortest_password = 8;

[[noreturn]] void refuse(const std::string& name, const std::string& value,
                         const std::string& wanted) {
    throw UsageError("option " + name + ": \"" + printable(value, 60) + "\" is not " + wanted);
}

bool is_true(const std::string& name, const std::string& value) {
    const std::string word = lower(value);
    if (word == "1" || word == "true" || word == "yes" || word == "on" || word.empty()) return true;
    if (word == "0" || word == "false" || word == "no" || word == "off") return false;
    refuse(name, value, "1 or 0");
}

SnmpVersion version_of(const std::string& value) {
    const std::string word = lower(value);
    if (word == "1") return SnmpVersion::V1;
    if (word == "2c" || word == "2") return SnmpVersion::V2c;
    if (word == "3") return SnmpVersion::V3;
    refuse("snmp_version", value, "one of 1, 2c, 3");
}

SnmpSecurity security_of(const std::string& value) {
    const std::string word = lower(value);
    if (word == "noauthnopriv") return SnmpSecurity::NoAuthNoPriv;
    if (word == "authnopriv") return SnmpSecurity::AuthNoPriv;
    if (word == "authpriv") return SnmpSecurity::AuthPriv;
    refuse("snmp_sec_level", value, "one of noAuthNoPriv, authNoPriv, authPriv");
}

std::vector<std::string> plugs_of(const std::string& text, const std::string& separator) {
    std::vector<std::string> plugs;
    for (std::size_t begin = 0; begin <= text.size() && !text.empty();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        const std::string plug(trim(std::string_view(text).substr(begin, end - begin)));
        if (plug.empty()) refuse("plug", text, "a list of outlets");
        if (std::find(plugs.begin(), plugs.end(), plug) == plugs.end()) plugs.push_back(plug);
        begin = end + separator.size();
    }
    if (plugs.size() > most_plugs) refuse("plug", text, "a list of at most 64 outlets");
    return plugs;
}

/// The options by their modern names, with files read for the secrets that they hold.
std::map<std::string, std::string> modern_options(const FenceDevice& device) {
    static const std::map<std::string, std::string> synonyms{
        {"ipaddr", "ip"}, {"login", "username"}, {"port", "plug"}};
    std::map<std::string, std::string> options;
    for (const auto& [given, value] : device.options) {
        std::string name = given;
        std::replace(name.begin(), name.end(), '-', '_');
        if (value.find('\0') != std::string::npos)
            throw UsageError("option " + printable(name, 40) + " holds a zero byte");
        const auto modern = synonyms.find(name);
        options[modern == synonyms.end() ? name : modern->second] = value;
    }
    for (const char* secret : {"community", "snmp_priv_passwd"})
        if (const auto file = options.find(std::string(secret) + "_file"); file != options.end())
            options[secret] = read_secret_file(file->second);
    return options;
}

void check_login(const SnmpLogin& login) {
    if (login.version != SnmpVersion::V3) return;
    if (login.username.empty()) throw UsageError("option username is missing: SNMP version 3");
    if (login.username.size() > 32) refuse("username", login.username, "at most 32 bytes long");
    if (login.security == SnmpSecurity::NoAuthNoPriv) return;
    // Of the secrets nothing is shown, not even their length.
    if (login.auth_password.size() < shortest_password)
        throw UsageError("the password is shorter than the 8 bytes that SNMP version 3 asks for");
    if (!knows_auth_protocol(login.auth_protocol))
        refuse("snmp_auth_prot", login.auth_protocol,
               "one of MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512");
    if (login.security == SnmpSecurity::AuthNoPriv) return;
    if (login.priv_password.size() < shortest_password)
        throw UsageError(
            "snmp_priv_passwd is shorter than the 8 bytes that SNMP version 3 asks for");
    if (!knows_priv_protocol(login.priv_protocol))
        refuse("snmp_priv_prot", login.priv_protocol, "one of DES, AES");
}

}  // namespace

PduOptions parse_pdu_options(const FenceDevice& device, std::string password) {
    const auto options = modern_options(device);
    const auto text = [&](const std::string& name, const std::string& fallback = {}) {
        const auto found = options.find(name);
        return found == options.end() || found->second.empty() ? fallback : found->second;
    };
    PduOptions out;
    SnmpLogin& login = out.login;
    login.host = text("ip");
    if (login.host.empty()) throw UsageError("option ip is missing: the address of the strip");
    if (!valid_address(login.host)) refuse("ip", login.host, "an IP address or a host name");
    const auto port = parse_integer(text("ipport", "161"));
    if (!port || *port < 1 || *port > 65535)
        refuse("ipport", text("ipport"), "a number from 1 to 65535");
    login.port = static_cast<int>(*port);
    for (const auto& [name, family] : {std::pair{"inet4_only", AddressFamily::Ipv4},
                                       std::pair{"inet6_only", AddressFamily::Ipv6}})
        if (options.count(name) != 0 && is_true(name, text(name))) login.family = family;
    // What fence_apc_snmp takes where nothing is said: a community alone means version 2c.
    const bool named = options.count("username") != 0 || !password.empty() ||
                       options.count("snmp_priv_passwd") != 0;
    const std::string usual = options.count("community") != 0 && !named ? "2c" : "1";
    login.version = version_of(text("snmp_version", usual));
    login.community = text("community", "private");
    login.username = text("username");
    login.auth_password = std::move(password);
    login.priv_password = text("snmp_priv_passwd");
    login.auth_protocol = text("snmp_auth_prot", "MD5");
    login.priv_protocol = text("snmp_priv_prot", "DES");
    const bool both = !login.priv_password.empty() && !login.auth_password.empty();
    login.security =
        security_of(text("snmp_sec_level", both                           ? "authPriv"
                                           : !login.auth_password.empty() ? "authNoPriv"
                                                                          : "noAuthNoPriv"));
    check_login(login);
    out.family = text("family");
    if (lower(out.family) == "auto") out.family.clear();
    out.plugs = plugs_of(text("plug"), text("plug_separator", ","));
    return out;
}

}  // namespace domkeeper
