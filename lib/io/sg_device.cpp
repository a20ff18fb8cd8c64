// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/sg_device.hpp"

#include <fcntl.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

ScsiReply send(const std::string& path, ScsiCommand command, unsigned milliseconds) {
    const std::string name = printable(path);
    // Writable, or else the kernel lets only harmless commands through.
    const UniqueFd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd && (errno == EACCES || errno == EPERM))
        throw Denied(name + ": " + std::strerror(errno));
    if (!fd) throw SystemError(name + ": " + std::strerror(errno));
    std::array<unsigned char, 64> sense{};
    std::vector<std::uint8_t> answer(command.asked);
    sg_io_hdr io{};
    io.interface_id = 'S';
    io.cmd_len = static_cast<unsigned char>(command.cdb.size());
    io.cmdp = command.cdb.data();
    io.mx_sb_len = static_cast<unsigned char>(sense.size());
    io.sbp = sense.data();
    io.timeout = milliseconds;
    io.dxfer_direction = SG_DXFER_NONE;
    if (!command.data.empty()) {
        io.dxfer_direction = SG_DXFER_TO_DEV;
        io.dxferp = command.data.data();
        io.dxfer_len = static_cast<unsigned>(command.data.size());
    } else if (!answer.empty()) {
        io.dxfer_direction = SG_DXFER_FROM_DEV;
        io.dxferp = answer.data();
        io.dxfer_len = static_cast<unsigned>(answer.size());
    }
    if (ioctl(fd.get(), SG_IO, &io) != 0) throw SystemError(name + ": " + std::strerror(errno));
    if (io.host_status != 0)
        throw SystemError(name + ": the session is broken (host status " +
                          std::to_string(io.host_status) + ")");
    ScsiReply reply;
    reply.status = io.status;
    reply.sense = decode_sense({sense.data(), std::min<std::size_t>(io.sb_len_wr, sense.size())});
    if (reply.good()) {
        const auto missing = static_cast<std::size_t>(std::max(0, io.resid));
        const std::size_t came = answer.size() - std::min(missing, answer.size());
        reply.data.assign(answer.data(), answer.data() + came);
    }
    return reply;
}

}  // namespace

std::vector<std::string> find_scsi_disks(const std::function<bool(const std::string&)>& wanted) {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/disk/by-path", error)) {
        const std::string path = entry.path().string();
        if (path.find("-part") == std::string::npos && wanted(path)) out.push_back(path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

ScsiReply sg_command(const std::string& path, const ScsiCommand& command, Deadline deadline) {
    const auto left = std::max<Duration::rep>(1, deadline.remaining(mono_now()).count());
    const auto time = static_cast<unsigned>(std::min<Duration::rep>(left, 3'600'000));
    return run_bounded(printable(path), deadline,
                       [path, command, time] { return send(path, command, time); });
}

}  // namespace domkeeper
