// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/interrupt.hpp"

#include <signal.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "lib/core/error.hpp"

namespace domkeeper {
namespace {

// A signal handler can reach nothing but static storage.
volatile sig_atomic_t interrupted = 0;

void on_interrupt(int) {
    interrupted = 1;
}

}  // namespace

Interrupt::Interrupt() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    if (sigaction(SIGINT, &action, nullptr) != 0)
        throw SystemError(std::string("can't catch Ctrl-C: ") + std::strerror(errno));
}

Interrupt::~Interrupt() {
    signal(SIGINT, SIG_DFL);
}

bool Interrupt::came() const {
    return interrupted != 0;
}

}  // namespace domkeeper
