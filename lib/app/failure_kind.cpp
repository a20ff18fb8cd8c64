// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/failure_kind.hpp"

#include "lib/core/error.hpp"
#include "lib/port/power_switch.hpp"

namespace domkeeper {

std::string_view failure_kind_name(FailureKind kind) {
    switch (kind) {
        case FailureKind::None: return "none";
        case FailureKind::NoSuchPlug: return "no such plug";
        case FailureKind::Usage: return "usage";
        case FailureKind::Login: return "login";
        case FailureKind::Unreachable: return "unreachable";
        case FailureKind::TimedOut: return "timeout";
        case FailureKind::Protocol: return "protocol";
        case FailureKind::Stuck: return "stuck";
        case FailureKind::Unverified: return "unverified";
        case FailureKind::System: return "system";
    }
    return "none";
}

FailureKind failure_kind_of(const std::exception& error) {
    const auto is = [&error](const auto* kind) {
        return dynamic_cast<decltype(kind)>(&error) != nullptr;
    };
    // The special ones before what they are kinds of.
    if (is(static_cast<const NoSuchPlug*>(nullptr))) return FailureKind::NoSuchPlug;
    if (is(static_cast<const UsageError*>(nullptr))) return FailureKind::Usage;
    if (is(static_cast<const Denied*>(nullptr))) return FailureKind::Login;
    if (is(static_cast<const Unreachable*>(nullptr))) return FailureKind::Unreachable;
    if (is(static_cast<const TimedOut*>(nullptr))) return FailureKind::TimedOut;
    if (is(static_cast<const Unverified*>(nullptr))) return FailureKind::Unverified;
    if (is(static_cast<const ProtocolError*>(nullptr))) return FailureKind::Protocol;
    return FailureKind::System;
}

}  // namespace domkeeper
