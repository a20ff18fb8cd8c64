// SPDX-License-Identifier: GPL-3.0-or-later
// What a host has left, and the names of the refusals.
#include <algorithm>

#include "lib/core/error.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

std::string_view refusal_kind_name(RefusalKind kind) {
    switch (kind) {
        case RefusalKind::NotListed: return "not-listed";
        case RefusalKind::PolicyNever: return "policy-never";
        case RefusalKind::NoDefinition: return "no-definition";
        case RefusalKind::NoAllowedHost: return "no-allowed-host";
        case RefusalKind::Apart: return "apart";
        case RefusalKind::Together: return "together";
        case RefusalKind::NeedUnmet: return "need-unmet";
        case RefusalKind::NotEnoughMemory: return "not-enough-memory";
        case RefusalKind::NotEnoughCpus: return "not-enough-cpus";
        case RefusalKind::Disarmed: return "disarmed";
        case RefusalKind::PeerUnseen: return "peer-unseen";
        case RefusalKind::HostReturned: return "host-returned";
        case RefusalKind::StartFailed: return "start-failed";
        case RefusalKind::StartUnknown: return "start-unknown";
        case RefusalKind::NotStable: return "not-stable";
        case RefusalKind::NoAnswer: return "no-answer";
        case RefusalKind::NotCovered: return "not-covered";
        case RefusalKind::StorageDown: return "storage-down";
        case RefusalKind::OtherIncident: return "other-incident";
        case RefusalKind::MoveNotAllowed: return "move-not-allowed";
        case RefusalKind::DeviceUnseen: return "device-unseen";
        case RefusalKind::MoveFailed: return "move-failed";
        case RefusalKind::MoveUnknown: return "move-unknown";
        case RefusalKind::RunsTwice: return "runs-twice";
    }
    return "start-failed";
}

namespace {

/// A domain of the cluster file and a want have the same groups.
template <typename Grouped>
void add_groups(Standing& standing, const Grouped& of) {
    standing.apart.insert(of.apart.begin(), of.apart.end());
    standing.rather_apart.insert(of.rather_apart.begin(), of.rather_apart.end());
    standing.together.insert(of.together.begin(), of.together.end());
    standing.rather_together.insert(of.rather_together.begin(), of.rather_together.end());
}

}  // namespace

void Standing::add(const Domain& domain, int domain_vcpus) {
    if (vcpus) *vcpus -= domain_vcpus;
    add_groups(*this, domain);
}

void Standing::add(const Want& want) {
    if (vcpus) *vcpus -= want.vcpus;
    add_groups(*this, want);
}

bool share_group(const std::vector<std::string>& groups, const std::vector<std::string>& others) {
    return std::any_of(groups.begin(), groups.end(),
                       [&](const std::string& group) { return contains(others, group); });
}

Want want_of(const Domain& domain, Bytes memory, int vcpus) {
    return {domain.name,
            memory,
            rank_of(domain),
            domain.hosts,
            {},
            domain.apart,
            domain.prefer,
            vcpus,
            domain.rather_apart,
            domain.together,
            domain.rather_together,
            domain.needs,
            domain.domain_class};
}

void add_defined_needs(Want& want, std::string_view xml) {
    if (xml.empty()) return;
    try {
        for (const std::string& need : needs_of_definition(xml)) want.needs.push_back(need);
    } catch (const ProtocolError&) {
        // Whether it can be started is for the hypervisor to say.
    }
}

Bytes room_of(const Host& host, const HostView& view) {
    Bytes free = host.memory.value_or(view.memory_total) - host.reserve;
    for (const DomainView& domain : view.domains)
        if (is_active(domain.state)) free -= std::max(domain.memory, domain.memory_max);
    if (!host.memory && view.memory_free) free = std::min(free, *view.memory_free - host.reserve);
    return free;
}

std::optional<int> vcpus_left(const Inventory& inventory, const Host& host, const HostView& view) {
    const int ratio = inventory.policy.vcpus_per_cpu;
    if (!host.vcpus && (ratio == 0 || view.cpus <= 0)) return std::nullopt;
    // Neither comes near what an int holds: a host has at most some thousand CPUs.
    std::int64_t left = host.vcpus ? *host.vcpus : std::int64_t{ratio} * view.cpus;
    for (const DomainView& domain : view.domains)
        if (is_active(domain.state)) left -= domain.vcpus;
    return static_cast<int>(std::clamp<std::int64_t>(left, -1'000'000, 1'000'000'000));
}

Room room_on(const Inventory& inventory, const Host& host, const HostView& view,
             const Labels& read) {
    Room room{host.name, room_of(host, view)};
    for (const DomainView& domain : view.domains)
        if (const Domain* entry = inventory.find_domain(domain.name);
            entry != nullptr && is_active(domain.state))
            room.standing.add(*entry, 0);
    room.standing.vcpus = vcpus_left(inventory, host, view);
    room.standing.offers = all_offers(host.offers, read);
    return room;
}

bool shows_active(const HostView& view, const std::string& domain) {
    return std::any_of(view.domains.begin(), view.domains.end(), [&](const DomainView& one) {
        return one.name == domain && is_active(one.state);
    });
}

RoomLeft::RoomLeft(const Inventory& inventory, const ClusterRecord& record, const Host& host,
                   const HostView& view)
    : inventory_(inventory),
      record_(record),
      view_(view),
      room_(room_on(inventory, host, view, record.offers_of(host.name))) {}

void RoomLeft::take(const std::string& domain, Bytes memory, int vcpus, bool leads) {
    if (shows_active(view_, domain) || !taken_.insert(domain).second) return;
    room_.free -= memory;
    const Domain* const entry = inventory_.find_domain(domain);
    if (entry == nullptr) return;
    Domain counted = *entry;
    if (!leads) counted.together.clear();
    room_.standing.add(counted, vcpus);
}

void RoomLeft::take(const std::string& domain, Bytes memory) {
    const DomainRecord* const known = record_.find_domain(domain);
    take(domain, memory, known == nullptr ? 0 : known->vcpus);
}

void RoomLeft::take_since(TimePoint looked, const std::string& but) {
    for (const DomainRecord& one : record_.domains)
        if (one.name != but && one.host == room_.host && is_active(one.state) && one.seen >= looked)
            take(one.name, one.memory, one.vcpus);
}

}  // namespace domkeeper
