// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/initiator.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t longest_value = 4096;
constexpr std::size_t most_entries = 4096;

/// The whole of a small file, without the spaces around it.
std::string value(const fs::path& path) {
    std::ifstream file(path);
    std::string out(longest_value, '\0');
    file.read(out.data(), static_cast<std::streamsize>(out.size()));
    out.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    return std::string(trim(out));
}

/// Decimal, or hexadecimal with 0x; 0 for anything else.
std::uint64_t number(std::string_view text) {
    const int base = starts_with(text, "0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    std::uint64_t out = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out, base);
    return error == std::errc{} && stop == end ? out : 0;
}

/// Names in a folder that begin so, in order; none when it is not there.
std::vector<std::string> names_in(const fs::path& folder, std::string_view prefix) {
    std::vector<std::string> out;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::string name = at->path().filename().string();
        if (starts_with(name, prefix) && out.size() < most_entries) out.push_back(std::move(name));
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// "0:0:0:1" and nothing else.
bool is_device(std::string_view name) {
    return std::count(name.begin(), name.end(), ':') == 3 &&
           name.find_first_not_of("0123456789:") == std::string_view::npos;
}

std::vector<IscsiDevice> read_devices(const fs::path& device) {
    std::vector<IscsiDevice> out;
    for (const std::string& target : names_in(device, "target"))
        for (const std::string& name : names_in(device / target, "")) {
            if (!is_device(name)) continue;
            const fs::path at = device / target / name;
            IscsiDevice one;
            one.name = name;
            one.state = value(at / "state");
            one.errors = number(value(at / "ioerr_cnt"));
            one.timeouts = number(value(at / "iotmo_cnt"));
            one.lun = static_cast<int>(number(name.substr(name.rfind(':') + 1)));
            const auto blocks = names_in(at / "block", "");
            if (!blocks.empty()) {
                one.block = blocks.front();
                one.sectors = number(value(at / "block" / one.block / "size"));
            }
            out.push_back(std::move(one));
        }
    return out;
}

}  // namespace

std::vector<AoeDevice> read_aoe_devices(const std::string& root) {
    std::vector<AoeDevice> out;
    const fs::path blocks = fs::path(root + "/sys/block");
    constexpr std::string_view prefix = "etherd!";
    for (const std::string& name : names_in(blocks, prefix)) {
        const auto address = parse_aoe_address(std::string_view(name).substr(prefix.size()));
        if (!address) continue;
        const fs::path at = blocks / name;
        AoeDevice one;
        one.address = *address;
        one.block = name;
        one.state = value(at / "state");
        one.macs = value(at / "mac");
        one.firmware = value(at / "firmware-version");
        one.payload = value(at / "payload");
        one.sectors = number(value(at / "size"));
        one.read_only = value(at / "ro") == "1";
        std::string interfaces = value(at / "netif");
        std::replace(interfaces.begin(), interfaces.end(), '\n', ' ');
        for (std::string& interface : split(interfaces, ' '))
            if (!interface.empty()) one.interfaces.push_back(std::move(interface));
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<IscsiKernelSession> read_iscsi_sessions(const std::string& root) {
    std::vector<IscsiKernelSession> out;
    const fs::path sessions = fs::path(root + "/sys/class/iscsi_session");
    const fs::path connections = fs::path(root + "/sys/class/iscsi_connection");
    const std::vector<std::string> all = names_in(connections, "connection");
    for (const std::string& name : names_in(sessions, "session")) {
        const fs::path at = sessions / name;
        IscsiKernelSession one;
        one.name = name;
        one.target = value(at / "targetname");
        one.state = value(at / "state");
        one.recovery_seconds = value(at / "recovery_tmo");
        // "connection3:0" belongs to "session3".
        const std::string own =
            "connection" + name.substr(std::string_view("session").size()) + ":";
        for (const std::string& connection : all) {
            if (!starts_with(connection, own)) continue;
            const fs::path there = connections / connection;
            one.connections.push_back({value(there / "state"), value(there / "address"),
                                       value(there / "port"), value(there / "ping_tmo")});
        }
        one.devices = read_devices(at / "device");
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace domkeeper
