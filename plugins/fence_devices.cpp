// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/fence_devices.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/all_hosts.hpp"
#include "lib/io/network_prober.hpp"
#include "lib/io/power_switches.hpp"
#include "lib/io/real_scheduler.hpp"

namespace domkeeper {
namespace {

constexpr Duration look_time{500};

CheckResult judge_device(const HostFenceFacts& host, const DeviceFacts& facts) {
    CheckResult part;
    const PowerReading& reading = facts.reading;
    if (reading.kind == FailureKind::System) {
        part.status = Status::Unknown;
        part.summary = facts.device + " could not be asked: " + reading.reason;
    } else if (!reading.ok()) {
        part.status = Status::Critical;
        part.summary = facts.device + " could not fence " + host.host + " (" +
                       std::string(failure_kind_name(reading.kind)) + "): " + reading.reason;
    } else if (reading.state == PowerState::Off && host.alive) {
        const bool power = facts.covers.is_everything();
        part.status = power ? Status::Critical : Status::Warning;
        part.summary = power ? facts.device + " reads off although " + host.host +
                                   " lives: it is not the plug of this host"
                             : facts.device + ": " + host.host + " lives, and is cut off from " +
                                   facts.covers.text();
    } else {
        part.summary = facts.device + " reads " + std::string(power_state_name(reading.state)) +
                       " in " + render_seconds(facts.took) + " s";
        if (reading.state == PowerState::Off) part.summary += ", and the host is silent";
    }
    return part;
}

}  // namespace

CheckResult judge_fence_devices(const std::vector<HostFenceFacts>& hosts) {
    CheckResult result;
    std::size_t devices = 0, good = 0;
    Duration slowest{0};
    std::vector<std::string> troubles;
    for (const HostFenceFacts& host : hosts) {
        CheckResult part;
        part.summary = host.host + (host.alive ? " lives" : " is silent");
        if (host.devices.empty()) {
            part.status = Status::Warning;
            part.summary = host.host + " has no fence device: it can't be proved off";
            troubles.push_back(part.summary);
        }
        for (const DeviceFacts& facts : host.devices) {
            ++devices;
            slowest = std::max(slowest, facts.took);
            CheckResult device = judge_device(host, facts);
            if (device.status == Status::Ok)
                ++good;
            else
                troubles.push_back(device.summary);
            part.parts.push_back(std::move(device));
        }
        result.parts.push_back(std::move(part));
    }
    result.summary = std::to_string(good) + " of " + counted(devices, "fence device") +
                     " ready to fence " + counted(hosts.size(), "host");
    if (!troubles.empty()) result.summary += ": " + troubles.front();
    if (troubles.size() > 1)
        result.summary += ", and " + counted(troubles.size() - 1, "more trouble");
    result.perfdata = {
        {"devices", static_cast<double>(devices), "", {}, 0.0, {}},
        {"ready", static_cast<double>(good), "", {}, 0.0, static_cast<double>(devices)},
        {"slowest", static_cast<double>(slowest.count()) / 1000, "s", {}, 0.0, {}}};
    return result;
}

CheckResult check_fence_devices(const Inventory& inventory, const std::string& only,
                                Deadline deadline) {
    if (!only.empty() && inventory.find_host(only) == nullptr)
        throw UsageError("no host '" + printable(only, 80) + "' is in the cluster file");
    std::vector<HostFenceFacts> facts;
    std::vector<std::pair<std::size_t, FenceDevice>> asked;
    std::vector<ProbeTarget> targets;
    for (const Host& host : inventory.hosts) {
        if (!only.empty() && host.name != only) continue;
        std::vector<std::string> names;
        for (const FenceLevel& level : host.fence)
            for (const std::string& name : level)
                if (std::find(names.begin(), names.end(), name) == names.end())
                    names.push_back(name);
        for (const std::string& name : names)
            asked.emplace_back(facts.size(), *inventory.find_device(name));
        targets.push_back({host.address, probe_ports(host)});
        facts.push_back({host.name, false, {}});
    }
    const Instant start = real_now().mono;
    // What a device did not answer by then is its trouble, and is still told in time.
    const Deadline until{deadline.at - std::min(Duration{300}, deadline.remaining(start) / 4)};
    const auto switches = std::make_shared<RealPowerSwitches>();
    const std::shared_ptr<Scheduler> scheduler = RealScheduler::create();
    const auto read = at_all_hosts<DeviceFacts>(
        asked.size(), until, [asked, switches, scheduler, until](std::size_t i) {
            FencingAuthority authority(*switches, *scheduler);
            const FenceDevice& device = asked[i].second;
            const Instant begin = real_now().mono;
            DeviceFacts out{device.name, authority.read(device, until), {}, {}};
            out.took = std::chrono::duration_cast<Duration>(real_now().mono - begin);
            try {
                out.covers = switches->open(device)->coverage();
            } catch (const Error&) {
                // The reading has said why.
            }
            return out;
        });
    const auto reports = NetworkProber().look(targets, until.within(real_now().mono, look_time));
    for (std::size_t i = 0; i < facts.size(); ++i) facts[i].alive = reports.at(i).answered;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        DeviceFacts out;
        out.device = asked[i].second.name;
        if (read[i].value)
            out = *read[i].value;
        else
            out.reading = {PowerState::Unknown,
                           read[i].error ? FailureKind::System : FailureKind::TimedOut,
                           read[i].error ? trouble_of(read[i].error) : "no answer in time"};
        facts[asked[i].first].devices.push_back(std::move(out));
    }
    return judge_fence_devices(facts);
}

}  // namespace domkeeper
