// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/ipmi_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// IPMI 2.0, 22.28 and 22.30: user names of 16 bytes, passwords of 20 (16 before version 2).
constexpr std::size_t longest_username = 16;
constexpr std::size_t longest_password = 20;

[[noreturn]] void refuse(const std::string& name, const std::string& value,
                         const std::string& wanted) {
    throw UsageError("option " + name + ": \"" + printable(value, 60) + "\" is not " + wanted);
}

std::int64_t number(const std::string& name, const std::string& value, std::int64_t low,
                    std::int64_t high) {
    const auto parsed = parse_integer(value);
    if (!parsed || *parsed < low || *parsed > high)
        refuse(name, value, "a number from " + std::to_string(low) + " to " + std::to_string(high));
    return *parsed;
}

bool boolean(const std::string& name, const std::string& value) {
    const std::string word = lower(value);
    for (const std::string_view yes : {"1", "true", "yes", "on", ""})
        if (word == yes) return true;
    for (const std::string_view no : {"0", "false", "no", "off"})
        if (word == no) return false;
    refuse(name, value, "1 or 0");
}

int choice(const std::string& name, const std::string& value,
           const std::vector<std::pair<std::string, int>>& choices) {
    std::vector<std::string> words;
    for (const auto& [word, meaning] : choices) {
        if (lower(value) == word) return meaning;
        words.push_back(word);
    }
    refuse(name, value, "one of " + join(words, ", "));
}

std::vector<unsigned char> key(const std::string& value) {
    std::string_view digits = value;
    if (starts_with(digits, "0x")) digits.remove_prefix(2);
    // The library reads 20 bytes whatever the length it is told; a shorter key is filled up with
    // zeros, which is what the specification means by it.
    std::vector<unsigned char> bytes(20);
    bool good = !digits.empty() && digits.size() <= 40 && digits.size() % 2 == 0;
    for (std::size_t i = 0; good && i < digits.size() / 2; ++i) {
        const char* begin = digits.data() + i * 2;
        const auto [end, error] = std::from_chars(begin, begin + 2, bytes[i], 16);
        good = error == std::errc{} && end == begin + 2;
    }
    // The value is a secret: it is not repeated.
    if (!good) throw UsageError("option hexadecimal_kg: not 2 to 40 hexadecimal digits");
    return bytes;
}

std::uint8_t slave_address(const std::string& name, const std::string& value) {
    std::string_view digits = value;
    const bool hex = starts_with(digits, "0x");
    if (hex) digits.remove_prefix(2);
    std::uint8_t address = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address, hex ? 16 : 10);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        refuse(name, value, "a slave address such as 0x20");
    return address;
}

/// Old names of the fence agent API.
std::string modern_name(const std::string& given) {
    std::string name = given;
    for (char& c : name)
        if (c == '-') c = '_';
    static const std::array<std::pair<std::string_view, std::string_view>, 2> synonyms{
        {{"ipaddr", "ip"}, {"login", "username"}}};
    for (const auto& [old, modern] : synonyms)
        if (name == old) return std::string(modern);
    return name;
}

/// Options that the agent or the fencing itself reads, or that only fence_ipmilan has a use for.
const std::vector<std::string>& foreign_options() {
    static const std::vector<std::string> names = {
        "plug",          "port",          "action",         "method",
        "delay",         "timeout",       "power_timeout",  "power_wait",
        "shell_timeout", "login_timeout", "retry_on",       "verbose",
        "verbose_level", "debug",         "debug_file",     "disable_timeout",
        "quiet",         "nodename",      "ipmitool_path",  "sudo",
        "use_sudo",      "sudo_path",     "plug_separator", "soft",
        "soft_timeout"};
    return names;
}

}  // namespace

IpmiOptions parse_ipmi_options(const FenceDevice& device, std::string password) {
    IpmiOptions out;
    out.password = std::move(password);
    using Reader = std::function<void(const std::string& name, const std::string& value)>;
    const std::map<std::string, Reader> readers = {
        {"ip", [&](const auto&, const auto& value) { out.host = value; }},
        {"ipport",
         [&](const auto& name, const auto& value) {
             out.port = static_cast<int>(number(name, value, 1, 65535));
         }},
        {"username", [&](const auto&, const auto& value) { out.username = value; }},
        {"cipher",
         [&](const auto& name, const auto& value) {
             out.fixed.cipher = static_cast<int>(number(name, value, 0, 255));
             check_cipher(*out.fixed.cipher);
         }},
        {"privlvl",
         [&](const auto& name, const auto& value) {
             // Chassis Control needs operator (IPMI 2.0, appendix G); user is enough to read.
             out.fixed.privilege =
                 choice(name, value,
                        {{"callback", 1}, {"user", 2}, {"operator", 3}, {"administrator", 4}});
         }},
        {"lanplus",
         [&](const auto& name, const auto& value) { out.fixed.version_2 = boolean(name, value); }},
        {"auth",
         [&](const auto& name, const auto& value) {
             out.fixed.authentication =
                 choice(name, value, {{"md5", 2}, {"md2", 1}, {"password", 4}, {"none", 0}});
         }},
        {"hexadecimal_kg", [&](const auto&, const auto& value) { out.k_g = key(value); }},
        {"target",
         [&](const auto& name, const auto& value) { out.target = slave_address(name, value); }},
        {"inet4_only",
         [&](const auto& name, const auto& value) {
             if (boolean(name, value)) out.family = AddressFamily::Ipv4;
         }},
        {"inet6_only",
         [&](const auto& name, const auto& value) {
             if (boolean(name, value)) out.family = AddressFamily::Ipv6;
         }},
    };
    for (const auto& [given, value] : device.options) {
        const std::string name = modern_name(given);
        if (value.find('\0') != std::string::npos)
            throw UsageError("option " + printable(name, 40) + " holds a zero byte");
        if (const auto reader = readers.find(name); reader != readers.end()) {
            reader->second(name, value);
            continue;
        }
        std::vector<std::string> known = foreign_options();
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        for (const auto& [own, reader] : readers) known.push_back(own);
        const auto near = closest(name, known);
        throw UsageError("option " + printable(name, 40) + " is unknown to fence_ipmi" +
                         (near ? "; did you mean " + *near + "?" : ""));
    }
    if (out.host.empty()) throw UsageError("option ip is missing: the address of the BMC");
    if (!valid_address(out.host))
        throw UsageError("option ip: \"" + printable(out.host, 80) +
                         "\" is no IP address or host name");
    if (out.username.size() > longest_username)
        refuse("username", out.username, "at most 16 bytes long");
    const bool old_only = out.fixed.version_2 == false;
    if (out.password.size() > (old_only ? 16 : longest_password))
        throw UsageError(std::string("the password is longer than IPMI allows: ") +
                         (old_only ? "16 bytes before version 2.0" : "20 bytes"));
    if (old_only) out.first.version_2 = false;
    if (out.fixed.cipher) out.first.cipher = *out.fixed.cipher;
    if (out.fixed.privilege) out.first.privilege = *out.fixed.privilege;
    if (out.fixed.authentication) out.first.authentication = *out.fixed.authentication;
    // A longer password can't be cut for the older version.
    if (out.password.size() > 16 || !out.k_g.empty()) out.fixed.version_2 = true;
    return out;
}

}  // namespace domkeeper
