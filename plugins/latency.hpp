// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lib/app/cli.hpp"
#include "lib/core/range.hpp"
#include "lib/core/result.hpp"

namespace domkeeper {

/// What reads of a disk took, in seconds.
struct Latency {
    std::size_t count = 0;
    double median = 0;
    double p99 = 0;  ///< by nearest rank: of up to 100 reads the slowest
};

Latency summarize(std::vector<std::chrono::microseconds> reads);

/// Limits of what a disk's check measures.
struct DiskThresholds {
    Threshold median;  ///< seconds
    Threshold p99;     ///< seconds
    Threshold size;    ///< bytes

    /// True when a limit of latency is set, so that a disk that was not read is not well.
    bool ask_latency() const;
};

/// Options warning and critical (the median), p99- and size-.
std::vector<Option> disk_threshold_options();
DiskThresholds read_disk_thresholds(const Arguments& arguments);

/// What the disk's readings come to, as perfdata named "NAME_..." and as problems where a limit
/// was crossed. `parts` takes one part a problem.
void judge_disk(const std::string& name, const Latency& latency, std::optional<double> bytes,
                const DiskThresholds& thresholds, CheckResult& result);

/// "10 reads, median 0.021 ms, p99 0.034 ms"; "no reads" when there are none.
std::string latency_text(const Latency& latency);

/// One line a disk: its problems when there are some, else what is well. Takes over the statuses
/// and drops the problems' own lines.
void fold_problems(const std::string& name, const std::string& well, CheckResult& result);

}  // namespace domkeeper
