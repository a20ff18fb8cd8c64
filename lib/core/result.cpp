// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/result.hpp"

#include <algorithm>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Nagios cuts a plugin's output here; what would be cut is dropped by whole lines instead.
constexpr std::size_t output_limit = 8191;
/// Room for the last line, "(1234567 more lines and 1234567 values left out)".
constexpr std::size_t note_room = 80;
/// Perfdata may take this much, so that the lines about what is wrong still fit.
constexpr std::size_t perfdata_limit = 4096;

std::string bracketed(Status status) {
    return "[" + std::string(status_name(status)) + "] ";
}

void collect_lines(const CheckResult& result, int verbosity, std::size_t depth,
                   std::vector<std::string>& lines) {
    std::vector<const CheckResult*> parts;
    for (const CheckResult& part : result.parts) parts.push_back(&part);
    std::stable_sort(parts.begin(), parts.end(), [](const CheckResult* a, const CheckResult* b) {
        const Status left = overall(*a);
        const Status right = overall(*b);
        return left != right && worst(left, right) == left;
    });
    for (const CheckResult* part : parts) {
        const Status status = overall(*part);
        if (verbosity <= 0 && status == Status::Ok) continue;
        lines.push_back(std::string(2 * depth, ' ') + bracketed(status) +
                        printable(part->summary, 512));
        collect_lines(*part, verbosity, depth + 1, lines);
    }
}

void collect_perfdata(const CheckResult& result, std::vector<std::string>& items) {
    for (const Perfdata& item : result.perfdata)
        if (std::string text = render_perfdata(item); !text.empty())
            items.push_back(std::move(text));
    for (const CheckResult& part : result.parts) collect_perfdata(part, items);
}

}  // namespace

Status overall(const CheckResult& result) {
    Status status = result.status;
    for (const CheckResult& part : result.parts) status = worst(status, overall(part));
    return status;
}

std::string render_result(const std::string& name, const CheckResult& result, int verbosity) {
    std::vector<std::string> items;
    std::vector<std::string> lines;
    collect_perfdata(result, items);
    collect_lines(result, verbosity, 0, lines);

    std::string out = printable(name, 64) + " " + std::string(status_name(overall(result))) +
                      " - " + printable(result.summary, 1024);
    std::size_t values = 0;
    for (std::size_t used = 0; values < items.size(); ++values) {
        used += items[values].size() + 1;
        if (used > perfdata_limit) break;
        out += (values == 0 ? "|" : " ") + items[values];
    }
    out += "\n";
    std::size_t shown = 0;
    for (; shown < lines.size(); ++shown) {
        if (out.size() + lines[shown].size() + 1 + note_room > output_limit) break;
        out += lines[shown] + "\n";
    }
    std::vector<std::string> missing;
    if (shown < lines.size()) missing.push_back(counted(lines.size() - shown, "more line"));
    if (values < items.size()) missing.push_back(counted(items.size() - values, "more value"));
    if (!missing.empty()) out += "(" + join(missing, " and ") + " left out)\n";
    return out;
}

}  // namespace domkeeper
