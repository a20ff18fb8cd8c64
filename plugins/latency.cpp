// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/latency.hpp"

#include <algorithm>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

std::string milliseconds_text(double seconds) {
    return render_number(seconds * 1000, 3) + " ms";
}

/// `text` tells what the value is; it is asked for only when something is wrong.
template <typename Text>
void judge_value(const std::string& label, double value, const std::string& unit, Text text,
                 const Threshold& threshold, CheckResult& result) {
    Perfdata perfdata = value_of(label, value, unit);
    perfdata.threshold = threshold;
    result.perfdata.push_back(std::move(perfdata));
    const Status status = threshold.judge(value);
    if (status == Status::Ok) return;
    const auto& limit = status == Status::Critical ? threshold.critical : threshold.warning;
    result.parts.push_back(
        part(status, text() + " is outside " + (limit ? render_range(*limit) : std::string())));
}

}  // namespace

Latency summarize(std::vector<std::chrono::microseconds> reads) {
    Latency out;
    out.count = reads.size();
    if (reads.empty()) return out;
    std::sort(reads.begin(), reads.end());
    const auto seconds = [&](std::size_t i) { return static_cast<double>(reads[i].count()) / 1e6; };
    const std::size_t n = reads.size();
    out.median = n % 2 == 1 ? seconds(n / 2) : (seconds(n / 2 - 1) + seconds(n / 2)) / 2;
    out.p99 = seconds((n * 99 + 99) / 100 - 1);
    return out;
}

bool DiskThresholds::ask_latency() const {
    return median.warning || median.critical || p99.warning || p99.critical;
}

std::vector<Option> disk_threshold_options() {
    const auto range = [](std::string name, char letter, std::string help) -> Option {
        return {.name = std::move(name),
                .letter = letter,
                .type = ValueType::Range,
                .help = std::move(help)};
    };
    return {range("warning", 'w', "Warn when the median time of a read in seconds is outside it."),
            range("critical", 'c', "Critical when that is outside it."),
            range("p99-warning", 0, "Warn when 99 of 100 reads took up to seconds outside it."),
            range("p99-critical", 0, "Critical when that is outside it."),
            range("size-warning", 0, "Warn when a disk's size in bytes is outside it."),
            range("size-critical", 0, "Critical when that is outside it.")};
}

DiskThresholds read_disk_thresholds(const Arguments& arguments) {
    const auto threshold = [&](const std::string& prefix) {
        return Threshold{arguments.range(prefix + "warning"), arguments.range(prefix + "critical")};
    };
    return {threshold(""), threshold("p99-"), threshold("size-")};
}

void judge_disk(const std::string& name, const Latency& latency, std::optional<double> bytes,
                const DiskThresholds& thresholds, CheckResult& result) {
    if (latency.count > 0) {
        judge_value(
            name + "_latency", latency.median, "s",
            [&] { return "the median of its reads, " + milliseconds_text(latency.median) + ","; },
            thresholds.median, result);
        judge_value(
            name + "_latency_p99", latency.p99, "s",
            [&] { return "its p99 of reads, " + milliseconds_text(latency.p99) + ","; },
            thresholds.p99, result);
    } else if (thresholds.ask_latency()) {
        result.parts.push_back(part(Status::Unknown, "no read to measure"));
    }
    if (bytes)
        judge_value(
            name + "_size", *bytes, "B",
            [&] { return "its size, " + render_bytes({static_cast<std::int64_t>(*bytes)}) + ","; },
            thresholds.size, result);
}

std::string latency_text(const Latency& latency) {
    if (latency.count == 0) return "no reads";
    return counted(latency.count, "read") + ", median " + milliseconds_text(latency.median) +
           ", p99 " + milliseconds_text(latency.p99);
}

void fold_problems(const std::string& name, const std::string& well, CheckResult& result) {
    const Status status = overall(result);
    const std::string wrong = what_is_wrong(result.parts, 4);
    result.summary = name + ": " + (wrong.empty() ? well : wrong);
    result.status = worst(result.status, status);
    result.parts.clear();
}

}  // namespace domkeeper
