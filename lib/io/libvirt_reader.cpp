// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_reader.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/libvirt_reasons.hpp"
#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

using ConnectionPtr = std::shared_ptr<LibvirtConnection>;

constexpr Duration domain_time{1'000};
constexpr std::size_t max_domains = 16'384;  // the limit of libvirt's own protocol
/// A monitor is busy for moments all the time; after so long it is stuck.
constexpr unsigned int stuck_after_ms = 3'000;
/// More domains than this are asked over several lanes: the daemon serves five calls at once.
constexpr std::size_t many_domains = 64;
constexpr std::size_t many_lanes = 4;

std::string version_text(unsigned long version) {
    return std::to_string(version / 1'000'000) + "." + std::to_string(version / 1'000 % 1'000) +
           "." + std::to_string(version % 1'000);
}

Bytes from_kib(unsigned long long kib) {
    constexpr auto most = static_cast<unsigned long long>(std::numeric_limits<std::int64_t>::max());
    return kibibytes(static_cast<std::int64_t>(std::min(kib, most / 1024)));
}

/// A domain and what is still to be asked of it alone.
struct Found {
    LibvirtConnection::Domain domain;
    DomainView view;
    bool state_known = false;
    bool persistent_known = false;
};

struct Survey {
    HostView host;
    std::vector<Found> domains;
};

std::string uuid_of(virDomainPtr domain) {
    std::array<char, VIR_UUID_STRING_BUFLEN> text{};
    return virDomainGetUUIDString(domain, text.data()) == 0 ? std::string(text.data())
                                                            : std::string();
}

Found found(const ConnectionPtr& connection, virDomainPtr domain) {
    Found out;
    out.domain = LibvirtConnection::own(connection, domain);
    const char* const name = virDomainGetName(domain);
    out.view.name = name == nullptr ? "" : name;
    out.view.uuid = uuid_of(domain);
    const unsigned int id = virDomainGetID(domain);
    if (id != std::numeric_limits<unsigned int>::max()) out.view.id = static_cast<int>(id);
    return out;
}

/// A list as libvirt hands it out; empty optional: the driver has no such list.
std::optional<std::vector<LibvirtConnection::Domain>> list_domains(const ConnectionPtr& connection,
                                                                   unsigned int filter) {
    virDomainPtr* raw = nullptr;
    const int count = virConnectListAllDomains(connection->handle(), &raw, filter);
    if (count < 0) return std::nullopt;
    std::vector<LibvirtConnection::Domain> domains;
    domains.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) domains.push_back(LibvirtConnection::own(connection, raw[i]));
    std::free(raw);
    return domains;
}

std::optional<std::set<std::string>> list_uuids(const ConnectionPtr& connection,
                                                unsigned int filter, const std::string& doing) {
    const auto domains = list_domains(connection, filter);
    if (!domains) {
        connection->tolerate(doing);
        return std::nullopt;
    }
    std::set<std::string> uuids;
    for (const auto& domain : *domains) uuids.insert(uuid_of(domain.get()));
    return uuids;
}

void read_memory(const ConnectionPtr& connection, HostView& host) {
    int count = 0;
    const int cells = VIR_NODE_MEMORY_STATS_ALL_CELLS;
    if (virNodeGetMemoryStats(connection->handle(), cells, nullptr, &count, 0) == 0 && count > 0) {
        std::vector<virNodeMemoryStats> stats(static_cast<std::size_t>(count));
        if (virNodeGetMemoryStats(connection->handle(), cells, stats.data(), &count, 0) == 0) {
            Bytes left;
            bool known = false;
            for (const virNodeMemoryStats& stat : stats) {
                const std::string_view field(stat.field);
                if (field == VIR_NODE_MEMORY_STATS_FREE) known = true;
                // What the kernel manages; the sum of the nodes leaves hot-plugged memory out.
                if (field == VIR_NODE_MEMORY_STATS_TOTAL) host.memory_total = from_kib(stat.value);
                // A kernel gives its file cache up to a guest that needs the memory.
                if (field == VIR_NODE_MEMORY_STATS_FREE || field == VIR_NODE_MEMORY_STATS_BUFFERS ||
                    field == VIR_NODE_MEMORY_STATS_CACHED)
                    left += from_kib(stat.value);
            }
            if (known) host.memory_free = left;
            if (known) return;
        }
    }
    connection->tolerate("reading the memory");
    // Xen: what the hypervisor itself has left, in bytes.
    if (const unsigned long long left = virNodeGetFreeMemory(connection->handle()); left != 0)
        host.memory_free = from_kib(left / 1024);
    else
        connection->tolerate("reading the free memory");
}

void read_node(const ConnectionPtr& connection, HostView& host) {
    virConnectPtr handle = connection->handle();
    const char* const type = virConnectGetType(handle);
    if (type == nullptr) connection->fail("reading the hypervisor's type");
    host.hypervisor = type;
    unsigned long version = 0;
    if (virConnectGetVersion(handle, &version) != 0)
        connection->tolerate("reading the hypervisor's version");
    else if (version != 0)
        host.hypervisor += " " + version_text(version);
    if (virConnectGetLibVersion(handle, &version) == 0) host.libvirt = version_text(version);
    if (const LibvirtText name{virConnectGetHostname(handle)}; name) host.hostname = name.get();
    virNodeInfo info{};
    if (virNodeGetInfo(handle, &info) != 0) connection->fail("reading the host");
    host.memory_total = from_kib(info.memory);
    host.cpus = static_cast<int>(info.cpus);
    read_memory(connection, host);
}

/// States of all domains in one call; false when the driver has none such.
bool read_states(const ConnectionPtr& connection, std::vector<Found>& domains) {
    virDomainStatsRecordPtr* raw = nullptr;
    // The state group alone takes no job of a domain, so a stuck guest can't hold this call up.
    const int count =
        virConnectGetAllDomainStats(connection->handle(), VIR_DOMAIN_STATS_STATE, &raw, 0);
    if (count < 0) {
        if (!LibvirtConnection::last_call_unsupported()) connection->fail("reading the domains");
        return false;
    }
    struct FreeRecords {
        void operator()(virDomainStatsRecordPtr* records) const {
            virDomainStatsRecordListFree(records);
        }
    };
    const std::unique_ptr<virDomainStatsRecordPtr, FreeRecords> records(raw);
    for (int i = 0; i < count; ++i) {
        const virDomainStatsRecordPtr record = records.get()[i];
        virDomainRef(record->dom);
        Found one = found(connection, record->dom);
        int state = 0;
        int reason = 0;
        if (virTypedParamsGetInt(record->params, record->nparams, "state.state", &state) == 1) {
            virTypedParamsGetInt(record->params, record->nparams, "state.reason", &reason);
            one.view.state = domain_state_of(state);
            one.view.reason = domain_reason_of(state, reason);
            one.state_known = true;
        }
        domains.push_back(std::move(one));
    }
    return true;
}

/// All that is known without asking any single domain.
Survey survey(const ConnectionPtr& connection, LibvirtDepth depth) {
    Survey out;
    read_node(connection, out.host);
    if (!read_states(connection, out.domains)) {
        auto all = list_domains(connection, 0);
        if (!all) connection->fail("listing the domains");
        for (const auto& domain : *all) {
            virDomainRef(domain.get());
            out.domains.push_back(found(connection, domain.get()));
        }
    }
    // Xen lists the host's own system as a domain, with the same number and UUID on every host.
    std::erase_if(out.domains, [](const Found& one) {
        return one.view.id == 0 && one.view.uuid == "00000000-0000-0000-0000-000000000000";
    });
    if (out.domains.size() > max_domains)
        throw ProtocolError("more than " + std::to_string(max_domains) + " domains");
    if (depth == LibvirtDepth::States) return out;
    const auto persistent = list_uuids(connection, VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
                                       "listing the persistent domains");
    const auto autostart = list_uuids(connection, VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
                                      "listing the domains with autostart");
    for (Found& one : out.domains) {
        one.persistent_known = persistent.has_value();
        if (persistent) one.view.persistent = persistent->count(one.view.uuid) != 0;
        if (autostart) one.view.autostart = autostart->count(one.view.uuid) != 0;
    }
    return out;
}

/// What is to be asked of each domain; shared by all lanes.
struct Questions {
    LibvirtDepth depth = LibvirtDepth::Full;
    std::atomic<bool> has_control_info{true};

    bool of(const Found& one) const {
        if (!one.state_known) return true;
        return depth != LibvirtDepth::States && (one.view.id || !one.persistent_known);
    }
};

/// What only the domain itself can be asked. An empty optional: it is gone meanwhile.
std::optional<DomainView> read_domain(const ConnectionPtr& connection, const Found& one,
                                      Questions& questions) {
    DomainView view = one.view;
    const virDomainPtr domain = one.domain.get();
    const std::string doing = "reading domain " + printable(view.name, 64);
    const auto failed = [&] {
        if (LibvirtConnection::last_domain_missing()) return true;
        connection->fail(doing);
    };
    if (!one.state_known) {
        int state = 0;
        int reason = 0;
        if (virDomainGetState(domain, &state, &reason, 0) != 0 && failed()) return std::nullopt;
        view.state = domain_state_of(state);
        view.reason = domain_reason_of(state, reason);
    }
    if (questions.depth == LibvirtDepth::States) return view;
    if (!one.persistent_known) {
        const int persistent = virDomainIsPersistent(domain);
        if (persistent < 0 && failed()) return std::nullopt;
        view.persistent = persistent == 1;
    }
    if (!view.id) return view;
    if (questions.depth == LibvirtDepth::Full) {
        virDomainInfo info{};
        if (virDomainGetInfo(domain, &info) != 0 && failed()) return std::nullopt;
        view.memory = from_kib(info.memory);
        view.memory_max = from_kib(info.maxMem);
        view.vcpus = info.nrVirtCpu;
    }
    if (!questions.has_control_info) return view;
    virDomainControlInfo control{};
    if (virDomainGetControlInfo(domain, &control, 0) != 0) {
        if (LibvirtConnection::last_call_unsupported()) questions.has_control_info = false;
        connection->tolerate(doing);
    } else if (control.state == VIR_DOMAIN_CONTROL_ERROR) {
        view.control_trouble = "in error";
    } else if (control.state == VIR_DOMAIN_CONTROL_OCCUPIED &&
               control.stateTime >= stuck_after_ms) {
        view.control_trouble = "occupied for " + std::to_string(control.stateTime / 1000) + " s";
    }
    return view;
}

std::vector<std::string> read_disk_errors(virDomainPtr domain) {
    std::vector<std::string> errors;
    const int room = virDomainGetDiskErrors(domain, nullptr, 0, 0);
    if (room <= 0) return errors;
    std::vector<virDomainDiskError> raw(static_cast<std::size_t>(room));
    const int count =
        virDomainGetDiskErrors(domain, raw.data(), static_cast<unsigned int>(room), 0);
    for (int i = 0; i < count; ++i) {
        const LibvirtText disk{raw[static_cast<std::size_t>(i)].disk};
        const int error = raw[static_cast<std::size_t>(i)].error;
        if (error == VIR_DOMAIN_DISK_ERROR_NONE) continue;
        errors.push_back(printable(disk ? disk.get() : "?", 64) +
                         (error == VIR_DOMAIN_DISK_ERROR_NO_SPACE ? ": no space" : ": I/O error"));
    }
    return errors;
}

std::string error_text(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const ConnectionLost&) {
        throw;
    } catch (const Error& e) {
        return e.what();
    }
}

void add_disk_errors(std::vector<DomainView>& views,
                     const std::map<std::string, LibvirtConnection::Domain>& handles,
                     const WalkLimits& limits) {
    std::vector<std::size_t> stopped;
    for (std::size_t i = 0; i < views.size(); ++i)
        if (views[i].state == DomainState::Paused &&
            views[i].reason == domain_reason_of(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR))
            stopped.push_back(i);
    if (stopped.empty()) return;
    std::vector<LibvirtConnection::Domain> domains;
    for (const std::size_t i : stopped) domains.push_back(handles.at(views[i].uuid));
    // Which disk it was is good to know; that it stands still on an error is known already.
    auto items = bounded_walk<std::vector<std::string>>(
        domains.size(), limits,
        [domains](std::size_t i) { return read_disk_errors(domains[i].get()); });
    for (std::size_t i = 0; i < items.size(); ++i)
        if (items[i].value) views[stopped[i]].disk_errors = std::move(*items[i].value);
}

}  // namespace

HostView read_libvirt_host(const ConnectionPtr& connection, LibvirtDepth depth, Deadline deadline) {
    const Instant start = mono_now();
    Survey seen = run_bounded(connection->shown() + ": reading the domains", deadline,
                              [connection, depth] { return survey(connection, depth); });
    std::vector<DomainView>& views = seen.host.domains;
    std::map<std::string, LibvirtConnection::Domain> handles;
    const auto asked = std::make_shared<std::vector<Found>>();
    const auto questions = std::make_shared<Questions>();
    questions->depth = depth;
    for (Found& one : seen.domains) {
        handles.emplace(one.view.uuid, one.domain);
        if (questions->of(one))
            asked->push_back(std::move(one));
        else
            views.push_back(std::move(one.view));
    }
    // Some time stays for the caller, so that one stuck domain never costs him all the others.
    const Instant now = mono_now();
    WalkLimits limits;
    limits.deadline = deadline.within(now, deadline.remaining(now) * 9 / 10);
    limits.item_time = std::min(domain_time, std::max(Duration{1}, deadline.remaining(now) / 4));
    if (asked->size() > many_domains) limits.lanes = many_lanes;
    auto items = bounded_walk<std::optional<DomainView>>(
        asked->size(), limits, [connection, asked, questions](std::size_t i) {
            return read_domain(connection, (*asked)[i], *questions);
        });
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i].value) {
            if (*items[i].value) views.push_back(std::move(**items[i].value));
            continue;
        }
        DomainView view = (*asked)[i].view;
        view.trouble = items[i].error ? error_text(items[i].error)
                                      : "no answer within " + render_duration(limits.item_time);
        views.push_back(std::move(view));
    }
    if (depth != LibvirtDepth::States) {
        limits.deadline = deadline.within(mono_now(), deadline.remaining(mono_now()) * 9 / 10);
        add_disk_errors(views, handles, limits);
    }
    std::sort(views.begin(), views.end(), [](const DomainView& a, const DomainView& b) {
        return std::tie(a.name, a.uuid) < std::tie(b.name, b.uuid);
    });
    seen.host.took = std::chrono::duration_cast<Duration>(mono_now() - start);
    return std::move(seen.host);
}

}  // namespace domkeeper
