// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/watchdog.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace domkeeper {

struct Watchdog::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    Instant at;
    LastWords words;
    bool claimed = false;
    int exit_code = 1;
};

namespace {

/// How long a blocked standard output may keep the process from its end.
constexpr std::chrono::milliseconds printing_time{100};

void print(const Watchdog::LastWords& words) {
    std::FILE* stream = words.to_stderr ? stderr : stdout;
    std::fputs(words.line.c_str(), stream);
    std::fflush(stream);
}

}  // namespace

Watchdog::Watchdog(Instant at, LastWords words) : shared_(std::make_shared<Shared>()) {
    shared_->at = at;
    shared_->words = std::move(words);
    std::thread(watch, shared_).detach();
}

void Watchdog::set(Instant at, LastWords words) {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->at = at;
    shared_->words = std::move(words);
    shared_->changed.notify_all();
}

bool Watchdog::claim(int exit_code) {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    if (shared_->claimed) return false;
    shared_->claimed = true;
    shared_->exit_code = exit_code;
    return true;
}

void Watchdog::watch(const std::shared_ptr<Shared>& shared) {
    std::unique_lock<std::mutex> lock(shared->mutex);
    while (monotonic_now() < shared->at) shared->changed.wait_until(lock, shared->at);
    if (shared->claimed) {
        const int code = shared->exit_code;
        lock.unlock();
        // Printing has begun or is over; what hangs is a reader of it or an exit handler.
        std::this_thread::sleep_for(printing_time);
        std::_Exit(code);
    }
    shared->claimed = true;
    const LastWords words = shared->words;
    lock.unlock();
    try {
        // The stream may be locked by a thread that hangs in it, or its reader may be gone.
        std::thread([words] {
            print(words);
            std::_Exit(words.exit_code);
        }).detach();
        std::this_thread::sleep_for(printing_time);
    } catch (const std::exception&) {
        // No thread to be had: end without a word rather than not at all.
    }
    std::_Exit(words.exit_code);
}

Instant monotonic_now() {
    return std::chrono::time_point_cast<Instant::duration>(std::chrono::steady_clock::now());
}

}  // namespace domkeeper
