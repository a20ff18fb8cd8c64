// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_reasons.hpp"

#include <libvirt/libvirt.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace domkeeper {
namespace {

// In the order of libvirt's enums, from 0 (unknown: an empty text).
constexpr std::array<std::string_view, 12> running_reasons{"",
                                                           "booted",
                                                           "migrated",
                                                           "restored",
                                                           "from snapshot",
                                                           "unpaused",
                                                           "migration canceled",
                                                           "save canceled",
                                                           "woken up",
                                                           "resumed after a crash",
                                                           "post-copy migration",
                                                           "post-copy migration failed"};
constexpr std::array<std::string_view, 14> paused_reasons{"",
                                                          "paused by a user",
                                                          "migration",
                                                          "being saved",
                                                          "core dump",
                                                          "I/O error",
                                                          "watchdog",
                                                          "from snapshot",
                                                          "shutting down",
                                                          "snapshot",
                                                          "guest crashed",
                                                          "starting up",
                                                          "post-copy migration",
                                                          "post-copy migration failed"};
constexpr std::array<std::string_view, 2> shutdown_reasons{"", "asked by a user"};
constexpr std::array<std::string_view, 9> shutoff_reasons{
    "",      "shut down",       "destroyed",     "guest crashed",       "migrated",
    "saved", "failed to start", "from snapshot", "killed by the daemon"};
constexpr std::array<std::string_view, 2> crashed_reasons{"", "panicked"};

static_assert(running_reasons.size() == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED + 1);
static_assert(paused_reasons.size() == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED + 1);
static_assert(shutoff_reasons.size() == VIR_DOMAIN_SHUTOFF_DAEMON + 1);
static_assert(crashed_reasons.size() == VIR_DOMAIN_CRASHED_PANICKED + 1);

template <std::size_t N>
std::string pick(const std::array<std::string_view, N>& names, int reason) {
    if (reason >= 0 && static_cast<std::size_t>(reason) < N)
        return std::string(names[static_cast<std::size_t>(reason)]);
    return "reason " + std::to_string(reason);
}

}  // namespace

DomainState domain_state_of(int state) {
    switch (state) {
        case VIR_DOMAIN_RUNNING: return DomainState::Running;
        case VIR_DOMAIN_BLOCKED: return DomainState::Blocked;
        case VIR_DOMAIN_PAUSED: return DomainState::Paused;
        case VIR_DOMAIN_SHUTDOWN: return DomainState::ShuttingDown;
        case VIR_DOMAIN_SHUTOFF: return DomainState::ShutOff;
        case VIR_DOMAIN_CRASHED: return DomainState::Crashed;
        case VIR_DOMAIN_PMSUSPENDED: return DomainState::Suspended;
        default: return DomainState::Unknown;  // an int from outside
    }
}

std::string domain_reason_of(int state, int reason) {
    switch (state) {
        case VIR_DOMAIN_RUNNING: return pick(running_reasons, reason);
        case VIR_DOMAIN_PAUSED: return pick(paused_reasons, reason);
        case VIR_DOMAIN_SHUTDOWN: return pick(shutdown_reasons, reason);
        case VIR_DOMAIN_SHUTOFF: return pick(shutoff_reasons, reason);
        case VIR_DOMAIN_CRASHED: return pick(crashed_reasons, reason);
        default: return {};  // the others have no reasons
    }
}

}  // namespace domkeeper
