// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <optional>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/io/counter_file.hpp"
#include "plugins/initiator.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr std::uint64_t sector_size = 512;

void add(CheckResult& result, Status status, std::string text) {
    result.parts.push_back(part(status, std::move(text)));
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
    judge_sectors(device.sectors, size, result);
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

std::vector<Option> iscsi_initiator_options() {
    return {initiator_option(),
            {.name = "counters",
             .type = ValueType::File,
             .help = "With --initiator: keep the disks' error counters here, and warn when they "
                     "have grown since the last run."},
            root_option()};
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
    return summed_up_disks(std::move(result));
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
