// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_migration.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <limits>

#include "lib/core/domain_xml.hpp"
#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

bool is_xen(const LibvirtLink& link) {
    const char* const type = virConnectGetType(link->handle());
    return type != nullptr && lower(type) == "xen";
}

Bytes bytes_of(unsigned long long count) {
    constexpr auto most = static_cast<unsigned long long>(std::numeric_limits<std::int64_t>::max());
    return Bytes{static_cast<std::int64_t>(std::min(count, most))};
}

struct State {
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
};

State state_of(const LibvirtLink& link, const LibvirtConnection::Domain& domain) {
    State out;
    if (virDomainGetState(domain.get(), &out.state, &out.reason, 0) != 0)
        link->fail("reading the state of a domain");
    return out;
}

bool is_half(const State& state) {
    if (state.state != VIR_DOMAIN_PAUSED) return false;
    switch (state.reason) {
        case VIR_DOMAIN_PAUSED_MIGRATION:
        case VIR_DOMAIN_PAUSED_STARTING_UP:
        case VIR_DOMAIN_PAUSED_POSTCOPY:
        case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: return true;
        default: return false;  // an int of libvirt's: new values come with new versions
    }
}

bool is_off(const State& state) {
    return state.state == VIR_DOMAIN_SHUTOFF || state.state == VIR_DOMAIN_CRASHED;
}

/// Typed parameters, freed with this object.
class Parameters {
  public:
    ~Parameters() { virTypedParamsFree(values_, count_); }
    Parameters() = default;
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    bool read(virDomainPtr domain, unsigned int flags) {
        return virDomainGetJobStats(domain, &type_, &values_, &count_, flags) == 0;
    }
    int type() const { return type_; }
    std::optional<unsigned long long> number(const char* name) const {
        unsigned long long value = 0;
        if (virTypedParamsGetULLong(values_, count_, name, &value) != 1) return std::nullopt;
        return value;
    }
    Bytes bytes(const char* name) const { return bytes_of(number(name).value_or(0)); }
    std::optional<Duration> span(const char* name) const {
        const auto value = number(name);
        if (!value) return std::nullopt;
        return Duration{
            static_cast<std::int64_t>(std::min<unsigned long long>(*value, 1ULL << 40))};
    }

  private:
    virTypedParameterPtr values_ = nullptr;
    int count_ = 0;
    int type_ = VIR_DOMAIN_JOB_NONE;
};

/// libxl takes memory beside the guest's own: for its tables (libxl_get_required_shadow_memory:
/// 256 pages a processor and 2 a MiB), for a video card and slack.
Bytes xen_overhead(const DomainShape& shape, Bytes memory) {
    if (shape.os_type == "linux" || shape.os_type == "xen") return mebibytes(4);
    return mebibytes(shape.os_type == "hvm" ? 24 : 8) + mebibytes(shape.vcpus) +
           Bytes{memory.count / 128};
}

void judge_xen(const DomainShape& shape, MoveFacts& facts) {
    if (shape.os_type == "linux" || shape.os_type == "xen") {
        facts.can_live = false;
        facts.why_not_live =
            "it is a PV guest, and the hypervisor can't follow what a running PV guest writes to "
            "its memory: Debian's Xen is built without shadow paging";
    }
    if (!shape.files.empty()) {
        facts.can_live = facts.can_pause = false;
        facts.why_not_live = facts.why_not_pause =
            "its disk " + printable(shape.files.front(), 200) +
            " is a file: whether another host has the same one can't be seen";
    }
}

}  // namespace

LibvirtConnection::Domain find_libvirt_domain(const LibvirtLink& link, const std::string& uuid) {
    const virDomainPtr domain = virDomainLookupByUUIDString(link->handle(), uuid.c_str());
    if (domain != nullptr) return LibvirtConnection::own(link, domain);
    if (!LibvirtConnection::last_domain_missing())
        link->fail("looking for domain " + printable(uuid, 64));
    return nullptr;
}

SideState read_side(const LibvirtLink& link, const std::string& uuid) {
    const LibvirtConnection::Domain domain = find_libvirt_domain(link, uuid);
    if (!domain) return SideState::Absent;
    const State state = state_of(link, domain);
    if (is_off(state)) return SideState::Absent;
    virDomainJobInfo job{};
    const bool has_job =
        virDomainGetJobInfo(domain.get(), &job) == 0 &&
        (job.type == VIR_DOMAIN_JOB_BOUNDED || job.type == VIR_DOMAIN_JOB_UNBOUNDED);
    // A copy that is being received has a job too; what counts of it is that it does not run.
    if (is_half(state)) return SideState::Half;
    return has_job ? SideState::Busy : SideState::Active;
}

MoveFacts read_move_facts(const LibvirtLink& link, const DomainView& view) {
    MoveFacts facts;
    facts.view = view;
    const std::string doing = "reading the definition of " + printable(view.name, 64);
    const LibvirtConnection::Domain domain = find_libvirt_domain(link, view.uuid);
    if (!domain) throw ProtocolError(link->shown() + ": " + doing + ": there is no such domain");
    const LibvirtText xml{virDomainGetXMLDesc(domain.get(), 0)};
    if (!xml) link->fail(doing);
    const DomainShape shape = parse_domain_shape(xml.get());
    facts.devices = shape.devices;
    if (is_xen(link)) {
        judge_xen(shape, facts);
        facts.overhead = xen_overhead(shape, std::max(view.memory, view.memory_max));
    }
    if (shape.passed_through > 0) {
        facts.can_live = facts.can_pause = false;
        facts.why_not_live = facts.why_not_pause =
            "it holds " + counted(static_cast<std::size_t>(shape.passed_through), "device") +
            " of its host";
    }
    virDomainInfo info{};
    if (virDomainGetInfo(domain.get(), &info) == 0)
        facts.view.memory_max = std::max(facts.view.memory_max, bytes_of(info.maxMem * 1024ULL));
    return facts;
}

std::optional<MoveProgress> read_progress(const LibvirtConnection::Domain& domain, bool completed) {
    Parameters job;
    const bool known = job.read(domain.get(), completed ? VIR_DOMAIN_JOB_STATS_COMPLETED : 0) &&
                       (completed ? job.type() == VIR_DOMAIN_JOB_COMPLETED
                                  : job.type() == VIR_DOMAIN_JOB_BOUNDED ||
                                        job.type() == VIR_DOMAIN_JOB_UNBOUNDED);
    if (!known) return std::nullopt;
    MoveProgress progress;
    progress.elapsed = job.span(VIR_DOMAIN_JOB_TIME_ELAPSED).value_or(Duration{0});
    progress.total = job.bytes(VIR_DOMAIN_JOB_DATA_TOTAL);
    progress.done = job.bytes(VIR_DOMAIN_JOB_DATA_PROCESSED);
    progress.left = job.bytes(VIR_DOMAIN_JOB_DATA_REMAINING);
    progress.rate = job.bytes(VIR_DOMAIN_JOB_MEMORY_BPS);
    // libvirt gives pages a second.
    progress.dirty_rate = bytes_of(
        std::min(job.number(VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE).value_or(0), 1ULL << 40) *
        std::clamp(job.number(VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE).value_or(4096), 1ULL, 1ULL << 21));
    progress.time_left = job.span(VIR_DOMAIN_JOB_TIME_REMAINING);
    if (!progress.time_left && progress.rate.count > 0)
        progress.time_left = Duration{progress.left.count / (progress.rate.count / 1000 + 1)};
    progress.downtime = job.span(VIR_DOMAIN_JOB_DOWNTIME);
    return progress;
}

void check_free_memory(const LibvirtLink& target, Bytes need) {
    if (!is_xen(target)) return;
    const unsigned long long have = virNodeGetFreeMemory(target->handle());
    if (have == 0) target->fail("reading the free memory");
    if (bytes_of(have) < need)
        throw ProtocolError(target->shown() + ": it needs " + render_bytes(need) +
                            ", the hypervisor has " + render_bytes(bytes_of(have)) + " free");
}

namespace {

/// False: the source can't reach the target's libvirt, and nothing was moved; `why` says it.
bool led_by_source(const LibvirtLink& from, const LibvirtConnection::Domain& domain,
                   const std::string& to_uri, unsigned int flags, std::string& why) {
    const std::string uri = uri_for_others(to_uri);
    if (virDomainMigrateToURI3(domain.get(), uri.c_str(), nullptr, 0,
                               flags | VIR_MIGRATE_PEER2PEER) == 0)
        return true;
    const virErrorPtr error = virGetLastError();
    const std::string text = error != nullptr && error->message != nullptr ? error->message : "";
    // libxlDomainMigrationSrcPerformP2P names the URI in this one failure alone, its first.
    if (error == nullptr || error->code != VIR_ERR_OPERATION_FAILED ||
        text.find(uri) == std::string::npos)
        from->fail("moving");
    why = without_secrets(text, to_uri);
    return false;
}

}  // namespace

Migrated migrate(const LibvirtLink& from, const LibvirtLink& to, const std::string& to_uri,
                 const LibvirtConnection::Domain& domain, bool live) {
    const int persistent = virDomainIsPersistent(domain.get());
    if (persistent < 0) from->fail("moving");
    unsigned int flags = 0;
    if (live) flags |= VIR_MIGRATE_LIVE;
    if (persistent == 1) flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
    Migrated moved;
    if (is_xen(from)) {
        std::array<char, VIR_UUID_STRING_BUFLEN> uuid{};
        if (virDomainGetUUIDString(domain.get(), uuid.data()) != 0) from->fail("moving");
        std::string why;
        if (led_by_source(from, domain, to_uri, flags, why)) {
            moved.there = find_libvirt_domain(to, uuid.data());
            if (!moved.there) throw ProtocolError(to->shown() + ": it did not arrive");
            return moved;
        }
        moved.remark =
            "led from here, so it would not survive the end of this process (" + why + ")";
    } else {
        // A guest whose disk fails in the middle must not arrive as if nothing were; libxl has
        // none.
        flags |= VIR_MIGRATE_ABORT_ON_ERROR;
    }
    const virDomainPtr there = virDomainMigrate3(domain.get(), to->handle(), nullptr, 0, flags);
    if (there == nullptr) from->fail("moving");
    moved.there = LibvirtConnection::own(to, there);
    return moved;
}

void shut_down(const LibvirtLink& link, const std::string& uuid) {
    const LibvirtConnection::Domain domain = find_libvirt_domain(link, uuid);
    if (!domain || is_off(state_of(link, domain))) return;
    if (virDomainShutdown(domain.get()) != 0) link->fail("shutting down");
}

void start_moved(const LibvirtLink& from, const LibvirtLink& to, const DomainRecord& domain,
                 const std::string& xml) {
    const LibvirtConnection::Domain source = find_libvirt_domain(from, domain.uuid);
    if (source && !is_off(state_of(from, source)))
        throw ProtocolError(from->shown() + ": it runs again, so it is not started elsewhere");
    const LibvirtConnection::Domain there = find_libvirt_domain(to, domain.uuid);
    if (there && !is_off(state_of(to, there)))
        throw ProtocolError(to->shown() + ": it is active there already");
    if (!domain.persistent) {
        const virDomainPtr created = virDomainCreateXML(to->handle(), xml.c_str(), 0);
        if (created == nullptr) to->fail("starting");
        LibvirtConnection::own(to, created);
        return;
    }
    const virDomainPtr raw = virDomainDefineXML(to->handle(), xml.c_str());
    if (raw == nullptr) to->fail("defining");
    const LibvirtConnection::Domain defined = LibvirtConnection::own(to, raw);
    // A state saved there long ago belongs to disks as they were then.
    if (virDomainHasManagedSaveImage(defined.get(), 0) == 1 &&
        virDomainManagedSaveRemove(defined.get(), 0) != 0)
        to->fail("removing its old saved state");
    if (virDomainCreate(defined.get()) != 0) to->fail("starting");
    if (source) virDomainUndefineFlags(source.get(), VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
}

void clean_up_side(const LibvirtLink& link, const std::string& uuid, CleanUp what) {
    const std::string doing(clean_up_name(what));
    const LibvirtConnection::Domain domain = find_libvirt_domain(link, uuid);
    if (!domain) throw ProtocolError(link->shown() + ": " + doing + ": there is no such domain");
    if (what == CleanUp::Abort) {
        if (virDomainAbortJob(domain.get()) != 0) link->fail(doing);
        return;
    }
    if (!is_half(state_of(link, domain)))
        throw ProtocolError(link->shown() + ": " + doing + ": it is no half of a move any more");
    const int code = what == CleanUp::Discard ? virDomainDestroyFlags(domain.get(), 0)
                                              : virDomainResume(domain.get());
    if (code != 0) link->fail(doing);
}

}  // namespace domkeeper
