// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/xenctrl.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"

// It does not say by itself that its functions are C.
extern "C" {
#include <xenctrl.h>
}

namespace domkeeper {
namespace {

static_assert(xen_first_reserved_id == DOMID_FIRST_RESERVED);

constexpr std::size_t domains_at_once = 1024;
constexpr std::size_t most_messages = 1024 * 1024;
constexpr std::int64_t page = 4096;

struct CloseInterface {
    void operator()(xc_interface* xen) const { xc_interface_close(xen); }
};
using Interface = std::unique_ptr<xc_interface, CloseInterface>;

[[noreturn]] void fail(const std::string& doing) {
    const int cause = errno;
    const std::string text = "Xen: " + doing + ": " + std::strerror(cause);
    if (cause == EACCES || cause == EPERM) throw Denied(text);
    if (cause == ENOENT || cause == ENODEV || cause == ENXIO) throw Unreachable(text);
    throw ProtocolError(text);
}

/// Runs `work` with an open interface that says nothing on standard error.
template <typename Work>
auto with_xen(const std::string& doing, Deadline deadline, Work work) {
    return run_bounded("Xen: " + doing, deadline, [doing, work = std::move(work)] {
        // One that prints nothing below the worst: the caller says what is wrong.
        const std::unique_ptr<xentoollog_logger_stdiostream,
                              void (*)(xentoollog_logger_stdiostream*)>
            logger(xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0),
                   [](xentoollog_logger_stdiostream* one) {
                       xtl_logger_destroy(reinterpret_cast<xentoollog_logger*>(one));
                   });
        const Interface xen(xc_interface_open(reinterpret_cast<xentoollog_logger*>(logger.get()),
                                              reinterpret_cast<xentoollog_logger*>(logger.get()),
                                              0));
        if (!xen) fail(doing);
        return work(xen.get());
    });
}

Bytes from_pages(std::uint64_t pages) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) /
                          static_cast<std::uint64_t>(page);
    return Bytes{static_cast<std::int64_t>(std::min(pages, most)) * page};
}

std::string uuid_text(const xen_domain_handle_t& handle) {
    std::string out;
    for (std::size_t i = 0; i < sizeof handle; ++i) {
        char text[3];
        std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(handle[i]));
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += text;
    }
    return out;
}

XenDomain domain_of(const xc_domaininfo_t& info) {
    XenDomain out;
    out.id = info.domain;
    out.uuid = uuid_text(info.handle);
    out.dying = (info.flags & XEN_DOMINF_dying) != 0;
    out.shut_down = (info.flags & XEN_DOMINF_shutdown) != 0;
    out.shutdown_code =
        static_cast<int>((info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask);
    out.paused = (info.flags & XEN_DOMINF_paused) != 0;
    out.hvm = (info.flags & XEN_DOMINF_hvm_guest) != 0;
    out.memory = from_pages(info.tot_pages);
    out.memory_max = from_pages(info.max_pages);
    out.claimed = from_pages(info.outstanding_pages);
    out.vcpus_online = static_cast<int>(std::min(info.nr_online_vcpus, 0xffffU));
    if (info.max_vcpu_id != XEN_INVALID_MAX_VCPU_ID)
        out.vcpus = static_cast<int>(std::min(info.max_vcpu_id, 0xffffU)) + 1;
    out.cpu_time_ns = static_cast<std::int64_t>(info.cpu_time);
    return out;
}

std::vector<XenDomain> list_domains(xc_interface* xen) {
    std::vector<XenDomain> out;
    std::vector<xc_domaininfo_t> room(domains_at_once);
    std::uint32_t next = 0;
    for (;;) {
        const int count =
            xc_domain_getinfolist(xen, next, static_cast<unsigned>(room.size()), room.data());
        if (count < 0) fail("listing the domains");
        for (int i = 0; i < count; ++i) out.push_back(domain_of(room[static_cast<std::size_t>(i)]));
        if (count < static_cast<int>(room.size())) break;
        next = static_cast<std::uint32_t>(out.back().id) + 1;
    }
    std::sort(out.begin(), out.end(),
              [](const XenDomain& a, const XenDomain& b) { return a.id < b.id; });
    return out;
}

std::string scheduler_name(int id) {
    switch (id) {
        case XEN_SCHEDULER_CREDIT: return "credit";
        case XEN_SCHEDULER_CREDIT2: return "credit2";
        case XEN_SCHEDULER_ARINC653: return "arinc653";
        case XEN_SCHEDULER_RTDS: return "rtds";
        case XEN_SCHEDULER_NULL: return "null";
        default: return "scheduler " + std::to_string(id);  // an int of Xen's
    }
}

void add_share(xc_interface* xen, int scheduler, XenDomain& domain) {
    const auto id = static_cast<std::uint32_t>(domain.id);
    // A domain that vanished meanwhile, or one that is dying, has no share; that is no failure.
    if (scheduler == XEN_SCHEDULER_CREDIT) {
        xen_domctl_sched_credit share{};
        if (xc_sched_credit_domain_get(xen, id, &share) != 0) return;
        domain.weight = share.weight;
        domain.cap = share.cap;
    }
    if (scheduler == XEN_SCHEDULER_CREDIT2) {
        xen_domctl_sched_credit2 share{};
        if (xc_sched_credit2_domain_get(xen, id, &share) != 0) return;
        domain.weight = share.weight;
        domain.cap = share.cap;
    }
}

XenMachine read_machine(xc_interface* xen) {
    XenMachine out;
    xc_physinfo_t info{};
    if (xc_physinfo(xen, &info) != 0) fail("reading the machine");
    out.memory_total = from_pages(info.total_pages);
    out.memory_free = from_pages(info.free_pages);
    out.memory_scrubbing = from_pages(info.scrub_pages);
    out.memory_claimed = from_pages(info.outstanding_pages);
    out.cpus = static_cast<int>(std::min(info.nr_cpus, 0xffffU));
    out.hvm = (info.capabilities & XEN_SYSCTL_PHYSCAP_hvm) != 0;
    out.pv = (info.capabilities & XEN_SYSCTL_PHYSCAP_pv) != 0;
    out.hap = (info.capabilities & XEN_SYSCTL_PHYSCAP_hap) != 0;
    out.shadow = (info.capabilities & XEN_SYSCTL_PHYSCAP_shadow) != 0;
    const int version = xc_version(xen, XENVER_version, nullptr);
    xen_extraversion_t extra{};
    if (version >= 0 && xc_version(xen, XENVER_extraversion, &extra) == 0) {
        extra[sizeof extra - 1] = '\0';
        out.version = std::to_string(version >> 16) + "." + std::to_string(version & 0xffff) +
                      printable(extra, 32);
    }
    xen_commandline_t line{};
    if (xc_version(xen, XENVER_commandline, &line) == 0) {
        line[sizeof line - 1] = '\0';
        out.command_line = printable(line, 1024);
    }
    return out;
}

}  // namespace

std::vector<XenDomain> Xenctrl::domains(Deadline deadline) {
    return with_xen("listing the domains", deadline, list_domains);
}

XenView Xenctrl::read(Deadline deadline) {
    return with_xen("reading the machine", deadline, [](xc_interface* xen) {
        XenView view;
        view.machine = read_machine(xen);
        view.domains = list_domains(xen);
        int scheduler = -1;
        if (xc_sched_id(xen, &scheduler) != 0) return view;
        view.machine.scheduler = scheduler_name(scheduler);
        for (XenDomain& domain : view.domains) add_share(xen, scheduler, domain);
        return view;
    });
}

std::string Xenctrl::messages(Deadline deadline) {
    return with_xen("reading its messages", deadline, [](xc_interface* xen) {
        // The ring may hold up to 256 KiB by default and more when it was asked for at boot.
        std::string text(most_messages, '\0');
        auto length = static_cast<unsigned>(text.size());
        if (xc_readconsolering(xen, text.data(), &length, 0, 0, nullptr) != 0)
            fail("reading its messages");
        text.resize(std::min<std::size_t>(length, most_messages));
        return text;
    });
}

}  // namespace domkeeper
