// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/dom0.hpp"

#include <algorithm>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

/// The text, and which limit was crossed.
CheckResult against(const Threshold& threshold, double value, const std::string& text) {
    const Status status = threshold.judge(value);
    std::string out = text;
    if (status == Status::Critical && threshold.critical)
        out += " (critical outside " + render_range(*threshold.critical) + ")";
    if (status == Status::Warning && threshold.warning)
        out += " (warning outside " + render_range(*threshold.warning) + ")";
    return part(status, out);
}

CheckResult judge_memory(const HostView& view, const Threshold& threshold,
                         std::vector<Perfdata>& perfdata) {
    const auto total = static_cast<double>(view.memory_total.count);
    if (!view.memory_free || total <= 0) {
        const bool asked = threshold.warning || threshold.critical;
        return part(asked ? Status::Unknown : Status::Ok,
                    "the hypervisor does not say how much memory is left");
    }
    const auto left = static_cast<double>(view.memory_free->count);
    const double percent = std::min(100.0, 100 * left / total);
    Perfdata bytes = value_of("memory_left", left, "B");
    bytes.max = total;
    Perfdata share = value_of("memory_left_percent", percent, "%");
    share.threshold = threshold;
    share.max = 100;
    perfdata.push_back(bytes);
    perfdata.push_back(share);
    return against(threshold, percent,
                   render_bytes(*view.memory_free) + " of " + render_bytes(view.memory_total) +
                       " memory left, " + render_number(percent, 1) + " %");
}

}  // namespace

std::vector<Option> threshold_options() {
    const auto range = [](std::string name, char letter, std::string help) -> Option {
        return {.name = std::move(name),
                .letter = letter,
                .type = ValueType::Range,
                .help = std::move(help)};
    };
    return {range("warning", 'w', "Warn when the answer took seconds outside it."),
            range("critical", 'c', "Critical when it took seconds outside it."),
            range("memory-warning", 0, "Warn when percent of memory left is outside it."),
            range("memory-critical", 0, "Critical when that is outside it."),
            range("domains-warning", 0, "Warn when the number of active domains is outside it."),
            range("domains-critical", 0, "Critical when that is outside it.")};
}

Dom0Thresholds read_thresholds(const Arguments& arguments) {
    const auto threshold = [&](const std::string& prefix) {
        return Threshold{arguments.range(prefix + "warning"), arguments.range(prefix + "critical")};
    };
    return {threshold(""), threshold("memory-"), threshold("domains-")};
}

CheckResult judge_dom0(const HostView& view, const std::string& host,
                       const Dom0Thresholds& thresholds) {
    CheckResult result;
    const double seconds = seconds_of(view.took);
    Perfdata time = value_of("time", seconds, "s");
    time.threshold = thresholds.time;
    result.perfdata.push_back(time);
    result.parts.push_back(
        against(thresholds.time, seconds, "answered in " + seconds_text(view.took)));

    result.parts.push_back(judge_memory(view, thresholds.memory, result.perfdata));

    const auto active = static_cast<std::size_t>(
        std::count_if(view.domains.begin(), view.domains.end(),
                      [](const DomainView& d) { return is_active(d.state); }));
    Perfdata domains = value_of("domains_active", static_cast<double>(active), "");
    domains.threshold = thresholds.domains;
    result.perfdata.push_back(domains);
    result.perfdata.push_back(
        value_of("domains_defined", static_cast<double>(view.domains.size()), ""));
    result.parts.push_back(against(
        thresholds.domains, static_cast<double>(active),
        std::to_string(active) + " of " + counted(view.domains.size(), "domain") + " active"));

    std::string versions = printable(view.hypervisor, 64);
    if (!view.libvirt.empty()) versions += ", libvirt " + printable(view.libvirt, 32);
    result.parts.push_back(part(Status::Ok, versions));

    const std::string wrong = what_is_wrong(result.parts);
    if (!wrong.empty()) {
        result.summary = printable(host, 64) + ": " + wrong;
        return result;
    }
    std::vector<std::string> texts;
    for (const CheckResult& one : result.parts) texts.push_back(one.summary);
    result.summary = printable(host, 64) + ": " + join(texts, ", ");
    return result;
}

}  // namespace domkeeper
