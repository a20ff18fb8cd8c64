// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/initiator.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/counter_file.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr std::uint64_t sector_size = 512;

void add(CheckResult& result, Status status, std::string text) {
    result.parts.push_back(part(status, std::move(text)));
}

/// How a disk that hangs is told from one that is well: nobody but a read knows.
void judge_read(const BlockRead& read, const std::string& said, CheckResult& result) {
    if (read.hung)
        add(result, Status::Critical,
            "a read has not come back, while the kernel says \"" + printable(said, 40) +
                "\": the target hangs, is gone, or does not serve this host");
    else if (read.error != 0)
        add(result, Status::Critical, std::string("a read failed: ") + std::strerror(read.error));
}

void judge_size(std::uint64_t sectors, const std::optional<Bytes>& size, CheckResult& result) {
    const Bytes is{static_cast<std::int64_t>(sectors * sector_size)};
    if (size && is < *size)
        add(result, Status::Critical,
            "is " + render_bytes(is) + ", shorter than the " + render_bytes(*size) +
                " expected: start no domain on it before you know why");
    if (size && is > *size)
        add(result, Status::Warning,
            "is " + render_bytes(is) + ", longer than the " + render_bytes(*size) + " expected");
}

CheckResult summed_up(CheckResult result) {
    const std::string wrong = what_is_wrong(result.parts);
    if (!wrong.empty())
        result.summary = wrong;
    else if (result.parts.size() == 1)
        result.summary = result.parts.front().summary;
    else
        result.summary = counted(result.parts.size(), "disk") + ", all well";
    return result;
}

Option initiator_option() {
    return {.name = "initiator",
            .type = ValueType::Flag,
            .help = "Ask this machine's own kernel, which is the initiator, and read its disks."};
}

Option root_option() {
    return {.name = "root",
            .value_name = "FOLDER",
            .help = "Look for /sys and /dev below this folder.",
            .hidden = true};
}

std::string unit_name(const IscsiKernelSession& session, const IscsiDevice& device) {
    return session.target + "/" + std::to_string(device.lun);
}

void judge_settings(const IscsiKernelSession& session, CheckResult& result) {
    if (session.recovery_seconds == "off" || starts_with(session.recovery_seconds, "-"))
        add(result, Status::Warning,
            "waits for a lost target for ever (recovery_tmo off): domains hang instead of failing");
    for (const IscsiConnection& connection : session.connections) {
        if (connection.state != "up")
            add(result, Status::Critical,
                "its connection to " + printable(connection.address, 60) + " is \"" +
                    printable(connection.state, 20) + "\"");
        if (connection.ping_seconds == "0")
            add(result, Status::Warning,
                "never asks whether the target still lives (ping_tmo 0): set "
                "node.conn[0].timeo.noop_out_interval and noop_out_timeout");
    }
}

CheckResult judge_device(const IscsiKernelSession& session, const IscsiDevice& device,
                         const BlockRead* read, const std::optional<Bytes>& size,
                         const DiskThresholds& thresholds, const DiskCounters* before) {
    CheckResult result;
    const std::string label = unit_name(session, device);
    const std::string name = printable(label, 120) + " (" + printable(device.block, 20) + ")";
    if (device.state != "running")
        add(result, Status::Critical,
            "the kernel calls it \"" + printable(device.state, 30) + "\"");
    if (read != nullptr) judge_read(*read, device.state, result);
    judge_size(device.sectors, size, result);
    const auto count = [&](const std::string& what, std::uint64_t now, std::uint64_t last) {
        Perfdata perfdata = value_of(label + "_" + what, static_cast<double>(now), "c");
        result.perfdata.push_back(std::move(perfdata));
        if (before != nullptr && now > last)
            add(result, Status::Warning,
                std::to_string(now - last) + " " + what + " since the last look");
    };
    count("errors", device.errors, before != nullptr ? before->errors : 0);
    count("timeouts", device.timeouts, before != nullptr ? before->timeouts : 0);
    const Latency latency =
        summarize(read != nullptr ? read->latencies : std::vector<std::chrono::microseconds>());
    judge_disk(label, latency, static_cast<double>(device.sectors * sector_size), thresholds,
               result);
    fold_problems(name,
                  render_bytes({static_cast<std::int64_t>(device.sectors * sector_size)}) + ", " +
                      latency_text(latency) + ", running",
                  result);
    return result;
}

}  // namespace

std::vector<Option> aoe_initiator_options() {
    return {initiator_option(), root_option()};
}

std::vector<Option> iscsi_initiator_options() {
    return {initiator_option(),
            {.name = "counters",
             .type = ValueType::File,
             .help = "With --initiator: keep the disks' error counters here, and warn when they "
                     "have grown since the last run."},
            root_option()};
}

CheckResult judge_aoe_devices(const std::vector<AoeDevice>& devices,
                              const std::vector<BlockRead>& reads, const AoeExpectations& wanted,
                              const std::vector<std::string>& interfaces) {
    CheckResult result;
    for (const auto& target : wanted.targets)
        if (std::none_of(devices.begin(), devices.end(),
                         [&](const AoeDevice& d) { return d.address == target.address; }))
            add(result, Status::Critical,
                "e" + render_aoe_address(target.address) +
                    ": this kernel has no such disk: is the module aoe loaded and its interface up "
                    "(aoe-discover)?");
    if (devices.empty() && wanted.targets.empty())
        add(result, Status::Critical, "this kernel has no AoE disk: is the module aoe loaded?");
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const AoeDevice& device = devices[i];
        const auto target =
            std::find_if(wanted.targets.begin(), wanted.targets.end(),
                         [&](const auto& one) { return one.address == device.address; });
        if (!wanted.targets.empty() && target == wanted.targets.end()) continue;
        CheckResult one;
        const std::string label = "e" + render_aoe_address(device.address);
        if (device.state != "up")
            add(one, Status::Critical,
                "the kernel calls it \"" + printable(device.state, 30) + "\"");
        judge_read(reads[i], device.state, one);
        for (const std::string& interface : interfaces)
            if (std::find(device.interfaces.begin(), device.interfaces.end(), interface) ==
                device.interfaces.end())
                add(one, Status::Warning, "is not reached through " + printable(interface, 20));
        if (target != wanted.targets.end()) judge_size(device.sectors, target->size, one);
        const Latency latency = summarize(reads[i].latencies);
        const auto bytes = device.sectors * sector_size;
        judge_disk(label, latency, static_cast<double>(bytes), wanted.thresholds, one);
        fold_problems(label,
                      render_bytes({static_cast<std::int64_t>(bytes)}) + ", " +
                          latency_text(latency) + ", up through " +
                          printable(join(device.interfaces, " and "), 60) + " to " +
                          printable(device.macs, 40) + ", " + printable(device.payload, 10) +
                          " bytes a frame" + (device.read_only ? ", read-only" : ""),
                      one);
        result.parts.push_back(std::move(one));
    }
    return summed_up(std::move(result));
}

CheckResult check_aoe_initiator(const Arguments& arguments, Deadline deadline) {
    const AoeExpectations wanted = read_aoe_expectations(arguments);
    const std::string root = arguments.text("root");
    const std::vector<AoeDevice> devices = read_aoe_devices(root);
    std::vector<std::string> paths;
    for (const AoeDevice& device : devices)
        paths.push_back(root + "/dev/etherd/e" + render_aoe_address(device.address));
    const auto reads = read_blocks(paths, sample_count(arguments, paths.size()),
                                   reading_deadline(deadline, arguments.timeout()));
    return judge_aoe_devices(devices, reads, wanted, arguments.all("interface"));
}

std::map<std::string, DiskCounters> parse_counters(const std::string& text) {
    std::map<std::string, DiskCounters> out;
    for (const std::string& line : split(text, '\n')) {
        const std::vector<std::string> words = split(line, ' ');
        if (words.size() != 3) continue;
        const auto errors = parse_integer(words[1]);
        const auto timeouts = parse_integer(words[2]);
        if (errors && timeouts && *errors >= 0 && *timeouts >= 0)
            out[words[0]] = {static_cast<std::uint64_t>(*errors),
                             static_cast<std::uint64_t>(*timeouts)};
    }
    return out;
}

std::string render_counters(const std::map<std::string, DiskCounters>& counters) {
    std::string out;
    for (const auto& [name, one] : counters)
        out += name + " " + std::to_string(one.errors) + " " + std::to_string(one.timeouts) + "\n";
    return out;
}

CheckResult judge_iscsi_sessions(const std::vector<IscsiKernelSession>& sessions,
                                 const std::map<std::string, BlockRead>& reads,
                                 const std::vector<IscsiUnit>& units,
                                 const DiskThresholds& thresholds,
                                 const std::map<std::string, DiskCounters>& before) {
    CheckResult result;
    if (sessions.empty() && units.empty())
        add(result, Status::Critical, "this kernel has no iSCSI session: iscsiadm -m node --login");
    for (const IscsiUnit& unit : units)
        if (std::none_of(sessions.begin(), sessions.end(),
                         [&](const auto& session) { return session.target == unit.target; }))
            add(result, Status::Critical,
                printable(unit.target, 120) + ": no session with it: iscsiadm -m node -T " +
                    printable(unit.target, 120) + " --login");
    for (const IscsiKernelSession& session : sessions) {
        const bool expected = std::any_of(units.begin(), units.end(), [&](const auto& unit) {
            return unit.target == session.target;
        });
        if (!units.empty() && !expected) continue;
        CheckResult one;
        if (session.state != "LOGGED_IN")
            add(one, Status::Critical, "its session is \"" + printable(session.state, 20) + "\"");
        judge_settings(session, one);
        fold_problems(printable(session.target, 120), "logged in", one);
        if (overall(one) != Status::Ok || session.devices.empty()) result.parts.push_back(one);
        for (const IscsiUnit& unit : units)
            if (unit.target == session.target &&
                std::none_of(session.devices.begin(), session.devices.end(),
                             [&](const auto& device) { return device.lun == unit.lun; }))
                add(result, Status::Critical,
                    printable(unit.target, 120) + ": has no LUN " + std::to_string(unit.lun) +
                        " here: iscsiadm -m session --rescan");
        for (const IscsiDevice& device : session.devices) {
            const auto unit = std::find_if(units.begin(), units.end(), [&](const auto& u) {
                return u.target == session.target && u.lun == device.lun;
            });
            // A device without a disk (a controller's own LUN) matters only when it was asked for.
            if (unit == units.end() && (!units.empty() || device.block.empty())) continue;
            const auto read = reads.find(device.block);
            const auto last = before.find(unit_name(session, device));
            result.parts.push_back(
                judge_device(session, device, read == reads.end() ? nullptr : &read->second,
                             unit == units.end() ? std::nullopt : unit->size, thresholds,
                             last == before.end() ? nullptr : &last->second));
        }
    }
    return summed_up(std::move(result));
}

CheckResult check_iscsi_initiator(const Arguments& arguments, Deadline deadline) {
    const std::vector<IscsiUnit> units = read_iscsi_units(arguments);
    const std::string root = arguments.text("root");
    const std::vector<IscsiKernelSession> sessions = read_iscsi_sessions(root);
    std::vector<std::string> blocks;
    std::vector<std::string> paths;
    std::map<std::string, DiskCounters> counters;
    for (const IscsiKernelSession& session : sessions)
        for (const IscsiDevice& device : session.devices) {
            if (device.block.empty()) continue;
            blocks.push_back(device.block);
            paths.push_back(root + "/dev/" + device.block);
            counters[unit_name(session, device)] = {device.errors, device.timeouts};
        }
    const auto read = read_blocks(paths, sample_count(arguments, paths.size()),
                                  reading_deadline(deadline, arguments.timeout()));
    std::map<std::string, BlockRead> reads;
    for (std::size_t i = 0; i < blocks.size(); ++i) reads[blocks[i]] = read[i];
    std::map<std::string, DiskCounters> before;
    if (const std::string file = arguments.text("counters"); !file.empty()) {
        before = parse_counters(read_counter_file(file));
        write_counter_file(file, render_counters(counters));
    }
    return judge_iscsi_sessions(sessions, reads, units, read_disk_thresholds(arguments), before);
}

}  // namespace domkeeper
