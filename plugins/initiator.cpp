// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/initiator.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/core/text.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr std::uint64_t sector_size = 512;

void add(CheckResult& result, Status status, std::string text) {
    result.parts.push_back(part(status, std::move(text)));
}

}  // namespace

void judge_read(const BlockRead& read, const std::string& said, CheckResult& result) {
    if (read.hung)
        add(result, Status::Critical,
            "a read has not come back, while the kernel says \"" + printable(said, 40) +
                "\": the target hangs, is gone, or does not serve this host");
    else if (read.error != 0)
        add(result, Status::Critical, std::string("a read failed: ") + std::strerror(read.error));
}

void judge_sectors(std::uint64_t sectors, const std::optional<Bytes>& size, CheckResult& result) {
    const Bytes is{static_cast<std::int64_t>(sectors * sector_size)};
    if (size && is < *size)
        add(result, Status::Critical,
            "is " + render_bytes(is) + ", shorter than the " + render_bytes(*size) +
                " expected: start no domain on it before you know why");
    if (size && is > *size)
        add(result, Status::Warning,
            "is " + render_bytes(is) + ", longer than the " + render_bytes(*size) + " expected");
}

CheckResult summed_up_disks(CheckResult result) {
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

std::vector<Option> aoe_initiator_options() {
    return {initiator_option(), root_option()};
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
        if (target != wanted.targets.end()) judge_sectors(device.sectors, target->size, one);
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
    return summed_up_disks(std::move(result));
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

}  // namespace domkeeper
