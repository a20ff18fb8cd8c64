// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/background.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "lib/core/error.hpp"
#include "lib/io/real_scheduler.hpp"

namespace domkeeper::background {

Signal::Signal() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd) throw SystemError(std::string("can't make an eventfd: ") + std::strerror(errno));
}

void Signal::raise() {
    done = true;
    const std::uint64_t one = 1;
    // An eventfd takes eight bytes unless its counter is full, and it counts to one here.
    [[maybe_unused]] const ssize_t put = write(fd.get(), &one, sizeof one);
}

bool wait(const Signal& signal, Deadline deadline) {
    while (!signal.done) {
        const Instant now = real_now().mono;
        if (deadline.passed(now)) return false;
        pollfd watched{signal.fd.get(), POLLIN, 0};
        const auto span = std::min(deadline.remaining(now) + Duration{1}, Duration{60'000});
        poll(&watched, 1, static_cast<int>(span.count()));
    }
    return true;
}

}  // namespace domkeeper::background
