// SPDX-License-Identifier: GPL-3.0-or-later
// Preloaded into the real xenstored and oxenstored, and into the programs that are tested, this
// stands in for a hypervisor: event channels never fire, the ring of dom0 is a private page, and
// the domains are those named in the file $SHIM_DOMAINS, one a line: "ID [dying|shutdown|paused]
// [TOT_PAGES]". Without it a daemon can't come up where there is no Xen.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

// It has no guard for C++ of its own.
extern "C" {
#include <xenctrl.h>
}

namespace {

struct Known {
    uint32_t id = 0;
    std::string state;
    unsigned long pages = 4096;
};

std::vector<Known> known_domains() {
    std::vector<Known> out{{0, "", 4096}};
    const char* const path = std::getenv("SHIM_DOMAINS");
    std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "re");
    if (file == nullptr) return out;
    char line[128];
    while (std::fgets(line, sizeof line, file) != nullptr) {
        std::istringstream words(line);
        Known one;
        if (!(words >> one.id)) continue;
        words >> one.state >> one.pages;
        out.push_back(one);
    }
    std::fclose(file);
    return out;
}

int any_handle;
int channel[2] = {-1, -1};

template <typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// The files by which the kernel hands dom0's ring to the daemon and says that this is dom0; -1:
/// another file.
int open_special(const char* path) {
    if (std::strcmp(path, "/proc/xen/xsd_port") == 0) {
        int ends[2];
        if (pipe(ends) != 0 || write(ends[1], "1", 1) != 1) return -1;
        close(ends[1]);
        return ends[0];
    }
    if (std::strcmp(path, "/proc/xen/xsd_kva") == 0) {
        const int fd = memfd_create("xsd_kva", 0);
        return ftruncate(fd, 4096) == 0 ? fd : -1;
    }
    if (std::strcmp(path, "/proc/xen/capabilities") == 0) {
        const int fd = memfd_create("capabilities", 0);
        return write(fd, "control_d\n", 10) == 10 && lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
    }
    return -1;
}

mode_t mode_of(int flags, va_list list) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(list, int)) : 0;
}

}  // namespace

extern "C" {

void* xenevtchn_open(void*, unsigned) {
    if (channel[0] < 0 && pipe(channel) != 0) return nullptr;
    return &any_handle;
}
void* xenevtchn_fdopen(void* logger, int, unsigned flags) {
    return xenevtchn_open(logger, flags);
}
int xenevtchn_close(void*) {
    return 0;
}
int xenevtchn_fd(void*) {
    return channel[0];
}
int xenevtchn_bind_interdomain(void*, uint32_t, uint32_t) {
    static int port = 100;
    return port++;
}
int xenevtchn_bind_virq(void*, unsigned) {
    return 99;
}
int xenevtchn_notify(void*, uint32_t) {
    return 0;
}
int xenevtchn_unmask(void*, uint32_t) {
    return 0;
}
int xenevtchn_unbind(void*, uint32_t) {
    return 0;
}
int xenevtchn_pending(void*) {
    errno = EAGAIN;
    return -1;
}

void* xengnttab_open(void*, unsigned) {
    return &any_handle;
}
int xengnttab_close(void*) {
    return 0;
}
int xengnttab_set_max_grants(void*, uint32_t) {
    return 0;
}
void* xengnttab_map_grant_ref(void*, uint32_t, uint32_t, int) {
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? nullptr : page;
}
int xengnttab_unmap(void*, void* page, uint32_t) {
    return munmap(page, 4096);
}

xc_interface* xc_interface_open(xentoollog_logger*, xentoollog_logger*, unsigned) {
    if (std::getenv("SHIM_NO_HYPERVISOR") != nullptr) {
        errno = ENOENT;
        return nullptr;
    }
    return reinterpret_cast<xc_interface*>(&any_handle);
}
int xc_interface_close(xc_interface*) {
    return 0;
}
void* xc_map_foreign_range(xc_interface*, uint32_t, int size, int, unsigned long) {
    return mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int xc_domain_getinfo(xc_interface*, uint32_t first, unsigned, xc_dominfo_t* info) {
    *info = {};
    for (const Known& one : known_domains())
        if (one.id >= first) {
            info->domid = one.id;
            info->running = 1;
            info->dying = one.state == "dying";
            return 1;
        }
    errno = ESRCH;
    return 0;
}

int xc_domain_getinfolist(xc_interface*, uint32_t first, unsigned room, xc_domaininfo_t* info) {
    int count = 0;
    for (const Known& one : known_domains()) {
        if (one.id < first || count == static_cast<int>(room)) continue;
        xc_domaininfo_t& out = info[count++];
        out = {};
        out.domain = static_cast<domid_t>(one.id);
        out.flags = one.state == "dying"      ? XEN_DOMINF_dying
                    : one.state == "shutdown" ? XEN_DOMINF_shutdown
                    : one.state == "paused"   ? XEN_DOMINF_paused
                                              : XEN_DOMINF_running;
        out.tot_pages = one.pages;
        out.max_pages = one.pages;
        out.nr_online_vcpus = 1;
    }
    return count;
}

/// oxenstored asks for a million files and gives up where it may not have them.
int setrlimit(int, const void*) {
    return 0;
}

int open(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = mode_of(flags, list);
    va_end(list);
    const int special = open_special(path);
    return special >= 0 ? special : next<int(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = mode_of(flags, list);
    va_end(list);
    const int special = open_special(path);
    return special >= 0 ? special : next<int(const char*, int, ...)>("open64")(path, flags, mode);
}

}  // extern "C"
