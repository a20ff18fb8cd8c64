// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace domkeeper {

/// What a check says of a thing. The values are the exit codes of the monitoring-plugins guide.
enum class Status { Ok = 0, Warning = 1, Critical = 2, Unknown = 3 };

/// Ok < Warning < Unknown < Critical: not seeing never hides a fire.
Status worst(Status a, Status b);
/// "OK", "WARNING", "CRITICAL", "UNKNOWN"
std::string_view status_name(Status status);

}  // namespace domkeeper
