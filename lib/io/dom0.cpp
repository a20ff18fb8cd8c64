// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/dom0.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/core/text.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {

std::string read_system_file(const std::string& path, std::size_t limit) {
    std::string out;
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return out;
    std::array<char, 4096> buffer{};
    while (out.size() < limit) {
        const ssize_t got =
            read(fd.get(), buffer.data(), std::min(buffer.size(), limit - out.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return out;
}

bool is_dom0() {
    return read_system_file("/proc/xen/capabilities", 256).find("control_d") != std::string::npos;
}

bool runs_device_model(std::int64_t pid) {
    return starts_with(read_system_file("/proc/" + std::to_string(pid) + "/comm", 64), "qemu");
}

}  // namespace domkeeper
