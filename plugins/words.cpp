// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/words.hpp"

#include <algorithm>
#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {

std::string what_is_wrong(const std::vector<CheckResult>& parts, std::size_t limit) {
    std::vector<std::pair<Status, std::string>> wrong;
    for (const CheckResult& one : parts)
        if (overall(one) != Status::Ok)
            wrong.emplace_back(overall(one), printable(one.summary, 160));
    std::stable_sort(wrong.begin(), wrong.end(), [](const auto& a, const auto& b) {
        return a.first != b.first && worst(a.first, b.first) == a.first;
    });
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < std::min(limit, wrong.size()); ++i)
        texts.push_back(wrong[i].second);
    std::string out = join(texts, "; ");
    if (wrong.size() > limit) out += "; and " + std::to_string(wrong.size() - limit) + " more";
    return out;
}

CheckResult part(Status status, std::string summary) {
    CheckResult result;
    result.status = status;
    result.summary = std::move(summary);
    return result;
}

Perfdata value_of(const std::string& label, double value, const std::string& unit) {
    Perfdata perfdata;
    perfdata.label = label;
    perfdata.value = value;
    perfdata.unit = unit;
    perfdata.min = 0;
    return perfdata;
}

std::string seconds_text(Duration span) {
    return render_number(seconds_of(span), 3) + " s";
}

double seconds_of(Duration span) {
    return static_cast<double>(span.count()) / 1000;
}

}  // namespace domkeeper
