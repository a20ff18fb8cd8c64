// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/dom0.hpp"

#include <fcntl.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_entries = 100'000;
/// What the kernel keeps of a program's name (TASK_COMM_LEN).
constexpr std::size_t comm_length = 15;
constexpr const char* autostart_folder = "/etc/xen/auto";

/// "MemAvailable:   123 kB" -> 123 KiB; none: 0.
Bytes meminfo(const std::string& text, const std::string& field) {
    for (const std::string& line : split(text, '\n')) {
        if (!starts_with(line, field + ":")) continue;
        const std::string_view rest = trim(std::string_view(line).substr(field.size() + 1));
        const auto kib = parse_integer(rest.substr(0, rest.find(' ')));
        return kib && *kib >= 0 && *kib < (std::int64_t{1} << 50) ? kibibytes(*kib) : Bytes{};
    }
    return {};
}

/// Names of a folder's entries; empty when it can't be read.
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end;
         !error && at != end && names.size() < most_entries; at.increment(error))
        names.push_back(at->path().filename().string());
    return names;
}

void add_programs(const std::vector<std::string>& programs, Dom0View& view) {
    for (const std::string& program : programs) view.programs[program];
    for (const std::string& pid : names_in("/proc")) {
        if (!parse_integer(pid)) continue;
        // "12 (name) S ...", where the name may hold anything.
        const std::string stat = read_system_file("/proc/" + pid + "/stat", 512);
        const std::size_t open = stat.find('(');
        const std::size_t close = stat.rfind(')');
        if (open == std::string::npos || close == std::string::npos || close < open ||
            close + 2 >= stat.size())
            continue;
        const std::string_view name = std::string_view(stat).substr(open + 1, close - open - 1);
        for (auto& [program, states] : view.programs)
            if (name == std::string_view(program).substr(0, comm_length))
                states.push_back(stat[close + 2]);
    }
}

void add_clock(Dom0View& view) {
    timex state{};
    const int result = adjtimex(&state);
    if (result < 0) return;
    view.clock_synchronized = result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    view.clock_error = static_cast<double>(state.maxerror) / 1e6;
}

std::int64_t counter(const std::string& path) {
    const std::string text = read_system_file(path, 64);
    return std::max<std::int64_t>(0, parse_integer(trim(text)).value_or(0));
}

void look_at(VifView& vif) {
    const std::string net = "/sys/class/net/";
    std::error_code ignored;
    vif.there = fs::exists(net + vif.name, ignored);
    for (const char* what : {"rx_errors", "tx_errors", "rx_dropped", "tx_dropped"})
        vif.errors += counter(net + vif.name + "/statistics/" + what);
    if (vif.bridge.empty()) return;
    vif.bridge_there = fs::exists(net + vif.bridge, ignored);
    // Bit 0 of the flags is IFF_UP.
    const std::string flags(trim(read_system_file(net + vif.bridge + "/flags", 32)));
    vif.bridge_up =
        !flags.empty() && std::string_view("13579bdf").find(flags.back()) != std::string_view::npos;
    const fs::path master = fs::read_symlink(net + vif.name + "/master", ignored);
    vif.joined = master.filename().string() == vif.bridge;
}

}  // namespace

Dom0View read_dom0(const std::vector<std::string>& programs, std::vector<VifView> vifs) {
    Dom0View view;
    const std::string memory = read_system_file("/proc/meminfo");
    view.memory_total = meminfo(memory, "MemTotal");
    view.memory_available = meminfo(memory, "MemAvailable");
    const auto loads = split(read_system_file("/proc/loadavg", 256), ' ');
    if (loads.size() > 1) view.load = parse_number(loads[1]).value_or(0);
    view.cpus = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
    add_programs(programs, view);
    view.autostart = names_in(autostart_folder);
    std::sort(view.autostart.begin(), view.autostart.end());
    add_clock(view);
    for (VifView& vif : vifs) look_at(vif);
    view.vifs = std::move(vifs);
    return view;
}

std::string read_system_file(const std::string& path, std::size_t limit) {
    std::string out;
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return out;
    std::array<char, 4096> buffer{};
    while (out.size() < limit) {
        const ssize_t got =
            read(fd.get(), buffer.data(), std::min(buffer.size(), limit - out.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return out;
}

bool is_dom0() {
    return read_system_file("/proc/xen/capabilities", 256).find("control_d") != std::string::npos;
}

bool runs_device_model(std::int64_t pid) {
    return starts_with(read_system_file("/proc/" + std::to_string(pid) + "/comm", 64), "qemu");
}

bool has_xen_driver(const XsBackend& device) {
    // The texts come from xenstore: a name that is a path is none.
    if (!parse_integer(device.device) || device.type.find('/') != std::string::npos) return true;
    const std::string folder = "/sys/bus/xen-backend/devices/" + device.type + "-" +
                               std::to_string(device.domain) + "-" + device.device;
    return access(folder.c_str(), F_OK) != 0 || access((folder + "/driver").c_str(), F_OK) == 0;
}

}  // namespace domkeeper
