// SPDX-License-Identifier: GPL-3.0-or-later
// What keeps from fencing too many hosts, too often, or too early.
#include <algorithm>
#include <set>

#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration hour{3'600'000};

}  // namespace

Duration fence_memory(const Policy& policy) {
    return std::max(hour, policy.cool_down);
}

bool RecoveryStepper::is_being_fenced(const HostCase& host_case) const {
    switch (host_case.phase) {
        case CasePhase::Quiet:
        case CasePhase::Looking:
        case CasePhase::Standing: return host_case.fence_tried;
        case CasePhase::Fencing:
        case CasePhase::Observing:
        case CasePhase::Starting: break;
    }
    return !host_case.returned;
}

std::vector<std::string> RecoveryStepper::lost_together(const HostCase& host_case) const {
    std::vector<std::string> lost{host_case.host};
    for (const auto& [name, is_answering] : host_case.peers->answered) {
        // One that is being fenced for its lost storage answers until it is off.
        const auto other = situation_.cases.find(name);
        if (other != situation_.cases.end() && is_being_fenced(other->second)) {
            lost.push_back(name + " (being fenced)");
            continue;
        }
        if (is_answering || resting(context_, name)) continue;
        // A host that has been away for long was not lost at once with this one.
        const HostRecord* record = context_.record.find_host(name);
        const bool recent =
            record != nullptr && context_.now.wall - record->seen <= policy().record_max_age;
        if (recent || situation_.cases.count(name) != 0) lost.push_back(name);
    }
    return lost;
}

std::optional<std::string> RecoveryStepper::too_many(const HostCase& host_case,
                                                     const std::vector<std::string>& lost) const {
    const std::string silent =
        counted(lost.size(), "host") + " silent at once (" + join(lost, ", ") + ")";
    if (lost.size() > static_cast<std::size_t>(policy().max_hosts_lost))
        return silent + ", the limit is " + std::to_string(policy().max_hosts_lost);
    const std::size_t all = context_.inventory.hosts.size();
    const auto percent = static_cast<std::size_t>(policy().max_percent_lost);
    if (lost.size() * 100 > all * percent)
        return silent + " of " + std::to_string(all) + ", the limit is " + std::to_string(percent) +
               " percent";
    // A host that is off for certain needs no majority to say that it is silent.
    if (host_case.power_off) return std::nullopt;
    const auto answering =
        std::count_if(host_case.peers->answered.begin(), host_case.peers->answered.end(),
                      [](const auto& peer) { return peer.second; });
    if (answering < policy().peers_needed)
        return "only " + counted(static_cast<std::size_t>(answering), "other host") +
               " answered, " + std::to_string(policy().peers_needed) +
               " must: this node may be the one that is cut off";
    return std::nullopt;
}

/// Of a host that is off already nothing is switched; what a killed worker had begun is gone on
/// with; and people know what they do.
std::optional<std::string> RecoveryStepper::too_often(const HostCase& host_case) const {
    if (host_case.power_off || host_case.fence_tried || host_case.by_operator ||
        !host_case.confirmed_off.empty())
        return std::nullopt;
    const std::string go_on = "; `domkeeper recover " + host_case.host + "` does it all the same";
    std::set<IncidentId> within_hour;
    for (const PastFence& fence : context_.fences) {
        if (fence.incident == host_case.id) continue;
        const auto age = std::chrono::duration_cast<Duration>(context_.now.wall - fence.at);
        if (fence.host == host_case.host && age < policy().cool_down)
            return "it was fenced " + render_duration(age) + " ago, in incident " +
                   std::to_string(fence.incident) + ", and not again within " +
                   render_duration(policy().cool_down) + go_on;
        if (age < hour) within_hour.insert(fence.incident);
    }
    const int limit = policy().fences_per_hour;
    if (limit > 0 && within_hour.size() >= static_cast<std::size_t>(limit))
        return counted(within_hour.size(), "host") + " fenced within the last hour, the limit is " +
               std::to_string(limit) + go_on;
    return std::nullopt;
}

void RecoveryStepper::look_when_quiet(HostCase& host_case) {
    if (context_.monitor_since && !host_case.by_operator && host_case.confirmed_off.empty()) {
        const auto age =
            std::chrono::duration_cast<Duration>(context_.now.wall - *context_.monitor_since);
        if (age < policy().quiet_time && !host_case.fence_tried) {
            const Duration left = std::min(policy().quiet_time - age, policy().quiet_time);
            host_case.phase = CasePhase::Quiet;
            host_case.stand_look = mono() + left;
            return note(host_case, EntryKind::Decision, StepKind::Look,
                        "the monitor has just started, and may not see clearly yet: it is looked "
                        "at in " +
                            render_duration(left));
        }
    }
    begin_look(host_case);
}

}  // namespace domkeeper
