// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster_reader.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "lib/core/error.hpp"
#include "lib/io/all_hosts.hpp"

namespace domkeeper {
namespace {

/// What the definitions of one host came to.
struct Definitions {
    std::map<std::string, std::string> xml;      ///< by UUID
    std::map<std::string, std::string> trouble;  ///< by UUID
    Labels offers{};                             ///< of the host; none: not asked, or not told
};

/// What a host offers changes seldom: it is read once in so many rounds.
constexpr std::size_t offers_each = 32;

/// The seconds are mixed well, since a check that runs every 5 s would else always meet the same
/// windows (the multiplier is 2^64 divided by the golden ratio).
std::size_t mixed_seconds(TimePoint now) {
    const auto second = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    return static_cast<std::size_t>((second * 0x9E3779B97F4A7C15U) >> 32U);
}

using Ports = std::vector<std::shared_ptr<Hypervisor>>;

std::vector<HostFacts> look(const std::vector<Host>& hosts, const Ports& ports, Deadline deadline) {
    auto views = read_hosts(ports, deadline);
    std::vector<HostFacts> facts;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        HostFacts host;
        host.name = hosts[i].name;
        if (views[i].value)
            host.view = std::move(views[i].value);
        else
            host.trouble = trouble_of(views[i].error);
        facts.push_back(std::move(host));
    }
    return facts;
}

/// The domains of one host that the record says of it.
std::vector<const DomainView*> owned(const HostFacts& host,
                                     const std::map<std::string, std::string>& owners) {
    std::vector<const DomainView*> domains;
    if (!host.view) return domains;
    for (const DomainView& domain : host.view->domains)
        if (is_live(domain) && owners.at(domain.name) == host.name) domains.push_back(&domain);
    return domains;
}

Definitions read_definitions(Hypervisor& hypervisor, const std::vector<std::string>& uuids,
                             bool with_offers, Deadline deadline) {
    Definitions out;
    try {
        if (with_offers) out.offers = hypervisor.read_offers(deadline);
    } catch (const Error&) {
        // What is known of it stays; a host that does not answer is told of by all the rest.
    }
    for (const std::string& uuid : uuids) {
        try {
            out.xml[uuid] = hypervisor.read_definition(uuid, deadline).xml;
        } catch (const Error& error) {
            out.trouble[uuid] = error.what();
            // The next ones would only wait for the same host.
            if (deadline.passed(mono_now())) break;
        }
    }
    return out;
}

DomainRecord record_of(const DomainView& view, const HostFacts& host, TimePoint seen,
                       const Definitions& definitions, const ClusterRecord& before) {
    DomainRecord record;
    record.name = view.name;
    record.uuid = view.uuid;
    record.host = host.name;
    record.state = view.state;
    record.memory = view.memory_max;
    record.vcpus = view.vcpus;
    record.persistent = view.persistent;
    record.seen = seen;
    const DomainRecord* const known = before.find_domain(view.name);
    // Of a domain that could not be read this time, what was known is better than nothing.
    if (view.memory_max.count == 0 && known != nullptr && known->uuid == view.uuid) {
        record.memory = known->memory;
        record.vcpus = known->vcpus;
    }
    if (const auto found = definitions.xml.find(view.uuid); found != definitions.xml.end())
        record.xml = found->second;
    else if (known != nullptr && known->uuid == view.uuid)
        record.xml = known->xml;
    return record;
}

void write_hosts(const ClusterFacts& facts, const std::map<std::string, std::string>& owners,
                 const std::vector<Definitions>& definitions, RecordStore& records,
                 TimePoint seen) {
    for (std::size_t i = 0; i < facts.hosts.size(); ++i) {
        const HostFacts& host = facts.hosts[i];
        if (!host.view) continue;
        std::vector<DomainRecord> domains;
        for (const DomainView* view : owned(host, owners))
            domains.push_back(record_of(*view, host, seen, definitions[i], facts.record));
        records.write_host({host.name, seen, host.view->memory_total, host.view->memory_free,
                            host.view->hypervisor, definitions[i].offers},
                           domains);
    }
}

}  // namespace

std::vector<std::string> definitions_due(const std::vector<const DomainView*>& domains,
                                         const ClusterRecord& record, TimePoint now,
                                         std::size_t at_once) {
    std::vector<std::string> due;
    std::vector<std::string> others;
    for (const DomainView* domain : domains) {
        const DomainRecord* const known = record.find_domain(domain->name);
        const bool fresh = known != nullptr && !known->xml.empty() && known->uuid == domain->uuid &&
                           known->persistent == domain->persistent &&
                           known->vcpus == domain->vcpus && known->memory == domain->memory_max;
        (fresh ? others : due).push_back(domain->uuid);
    }
    if (others.size() <= at_once) {
        due.insert(due.end(), others.begin(), others.end());
        return due;
    }
    const std::size_t first = mixed_seconds(now) % others.size();
    for (std::size_t i = 0; i < at_once; ++i) due.push_back(others[(first + i) % others.size()]);
    return due;
}

ClusterFacts read_cluster(const Inventory& inventory, Hypervisors& hypervisors,
                          RecordStore* records, TimePoint now, ClusterLimits limits) {
    const Instant start = mono_now();
    const auto soon = [&] { return limits.deadline.within(mono_now(), limits.host_time); };
    ClusterFacts facts;
    facts.now = now;
    Ports ports;
    for (const Host& host : inventory.hosts) ports.push_back(hypervisors.at(host));
    try {
        if (records != nullptr) facts.record = records->read();
    } catch (const Error& error) {
        facts.record_trouble = error.what();
        records = nullptr;
    }

    TimePoint seen = now;
    facts.hosts = look(inventory.hosts, ports, soon());
    if (needs_second_look(inventory, facts.hosts, facts.record)) {
        seen = now + std::chrono::duration_cast<TimePoint::duration>(mono_now() - start);
        facts.hosts = look(inventory.hosts, ports, soon());
    }

    const std::map<std::string, std::string> owners = owners_of(facts.hosts, facts.record);
    std::vector<std::vector<std::string>> due;
    std::vector<bool> offers_due;
    for (const HostFacts& host : facts.hosts) {
        std::vector<const DomainView*> managed = owned(host, owners);
        std::erase_if(managed, [&](const DomainView* d) {
            return inventory.find_domain(d->name) == nullptr;
        });
        due.push_back(definitions_due(managed, facts.record, now));
        offers_due.push_back(host.view && (facts.record.offers_of(host.name).empty() ||
                                           mixed_seconds(now) % offers_each == 0));
    }
    const Deadline until = soon();
    auto read = at_all_hosts<Definitions>(
        inventory.hosts.size(), until, [ports, due, offers_due, until](std::size_t i) {
            return read_definitions(*ports[i], due[i], offers_due[i], until);
        });
    std::vector<Definitions> definitions;
    for (std::size_t i = 0; i < read.size(); ++i) {
        definitions.push_back(read[i].value ? std::move(*read[i].value) : Definitions{});
        if (!facts.hosts[i].view) continue;
        for (const DomainView& domain : facts.hosts[i].view->domains) {
            const auto trouble = definitions[i].trouble.find(domain.uuid);
            if (trouble != definitions[i].trouble.end())
                facts.definition_troubles[domain.name] = trouble->second;
            const auto xml = definitions[i].xml.find(domain.uuid);
            const DomainRecord* const known = facts.record.find_domain(domain.name);
            if (xml != definitions[i].xml.end() && domain.persistent && known != nullptr &&
                known->persistent && !known->xml.empty() && known->host == facts.hosts[i].name &&
                (known->uuid != domain.uuid || known->xml != xml->second))
                facts.changed_definitions.insert(domain.name);
        }
    }
    try {
        if (records != nullptr) write_hosts(facts, owners, definitions, *records, seen);
    } catch (const Error& error) {
        facts.record_trouble = error.what();
    }
    facts.took = std::chrono::duration_cast<Duration>(mono_now() - start);
    return facts;
}

}  // namespace domkeeper
