// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/bounded.hpp"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>

#include "lib/core/units.hpp"

namespace domkeeper {

Instant mono_now() {
    return std::chrono::time_point_cast<Instant::duration>(std::chrono::steady_clock::now());
}

void spawn_detached(std::function<void()> task) {
    // A handler must not run on a thread that may hang inside a library for ever.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(std::move(task)).detach();
    } catch (const std::system_error& error) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw SystemError(std::string("can't start a thread: ") + error.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::string late_message(const std::string& doing, Instant start) {
    const auto waited = std::chrono::duration_cast<Duration>(mono_now() - start);
    return doing + ": no answer within " + render_duration(waited);
}

}  // namespace domkeeper
