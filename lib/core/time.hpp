// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>

namespace domkeeper {

/// A span of time; all of the project counts in milliseconds.
using Duration = std::chrono::milliseconds;

/// Wall-clock time (UTC), for records and people. It may jump; never wait on it.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Monotonic time, for waiting and measuring. It has no meaning outside one boot of a machine.
using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// One reading of both clocks.
struct Now {
    Instant mono;
    TimePoint wall;
};

/// The instant at which a piece of work must have ended. Carried through every port call.
struct Deadline {
    Instant at;

    /// What is left, never negative.
    Duration remaining(Instant now) const {
        const auto left = std::chrono::duration_cast<Duration>(at - now);
        return left < Duration::zero() ? Duration::zero() : left;
    }
    bool passed(Instant now) const { return now >= at; }
    /// The nearer of this deadline and `now + span`.
    Deadline within(Instant now, Duration span) const {
        const Instant other = now + span;
        return Deadline{other < at ? other : at};
    }
};

/// "2026-11-22T04:13:44.120Z"
std::string render_time(TimePoint t);

/// Seconds with three decimals: "3.250".
std::string render_seconds(Duration d);

}  // namespace domkeeper
