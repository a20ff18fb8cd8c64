// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <exception>
#include <string_view>

namespace domkeeper {

/// Why a host could not be proved off, or not be switched.
enum class FailureKind {
    None,         ///< it worked
    NoSuchPlug,   ///< the device has no plug of that name or number
    Usage,        ///< no device, unknown agent, bad option: the configuration must change
    Login,        ///< the device answers and refuses: user, password, privilege, secrets file
    Unreachable,  ///< nobody there: refused, no route, name unknown
    TimedOut,     ///< silence until the deadline
    Protocol,     ///< answers that can't be trusted or used
    Stuck,        ///< the command was accepted and the device still reads the old state
    Unverified,   ///< it was off for a moment, or its state can't be told
    System        ///< this machine failed: no memory, no thread, an unreadable file
};

/// "none", "no such plug", "usage", "login", "unreachable", "timeout", "protocol", "stuck",
/// "unverified", "system".
std::string_view failure_kind_name(FailureKind kind);

/// Of what a switch or the reading of a configuration threw.
FailureKind failure_kind_of(const std::exception& error);

}  // namespace domkeeper
