// SPDX-License-Identifier: GPL-3.0-or-later
// Preloaded into fence_iscsi this stands in for the kernel's SCSI disks where the kernel has no
// iSCSI initiator: an SG_IO on a file under /dev/disk/by-path goes to the socket whose path is in
// that file, where iscsi_host does it on its own session. The real way is tested on Xen's dom0.
#include <dlfcn.h>
#include <scsi/sg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

/// Where the disk behind this descriptor is done; empty: it is none of ours.
std::string socket_of(int fd) {
    char path[512] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(link.c_str(), path, sizeof path - 1) < 0) return {};
    if (std::strncmp(path, "/dev/disk/by-path/", 18) != 0) return {};
    char text[sizeof(sockaddr_un::sun_path)] = {};
    if (pread(fd, text, sizeof text - 1, 0) <= 0) return {};
    return std::string(text, std::strcspn(text, "\n"));
}

int carry(const std::string& where, sg_io_hdr& io) {
    std::vector<std::uint8_t> out{io.cmd_len};
    out.insert(out.end(), io.cmdp, io.cmdp + io.cmd_len);
    const auto* const data = static_cast<const std::uint8_t*>(io.dxferp);
    if (io.dxfer_direction == SG_DXFER_TO_DEV) out.insert(out.end(), data, data + io.dxfer_len);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", where.c_str());
    std::uint8_t in[4] = {};
    const bool done =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        write(fd, out.data(), out.size()) == static_cast<ssize_t>(out.size()) &&
        read(fd, in, sizeof in) == static_cast<ssize_t>(sizeof in);
    close(fd);
    if (!done) {
        errno = ENODEV;
        return -1;
    }
    io.status = in[0];
    io.host_status = io.driver_status = 0;
    io.resid = 0;
    // SPC-4, 4.5.3: the sense data of fixed format.
    const std::uint8_t sense[18] = {0x70, 0, in[1], 0, 0, 0, 0, 10, 0, 0, 0, 0, in[2], in[3]};
    io.sb_len_wr = 0;
    if (in[0] == 0x02) {
        io.sb_len_wr = std::min<unsigned char>(io.mx_sb_len, sizeof sense);
        std::memcpy(io.sbp, sense, io.sb_len_wr);
    }
    return 0;
}

}  // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    if (request == SG_IO) {
        const std::string where = socket_of(fd);
        if (!where.empty()) return carry(where, *static_cast<sg_io_hdr*>(argument));
    }
    using Ioctl = int (*)(int, unsigned long, ...);
    static const auto real = reinterpret_cast<Ioctl>(dlsym(RTLD_NEXT, "ioctl"));
    return real(fd, request, argument);
}
