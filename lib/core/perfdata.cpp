// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/perfdata.hpp"

#include <cmath>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Quotes and '=' end a label too early in some parsers, so they never get into one.
std::string render_label(const std::string& label) {
    std::string out = printable(label, 128);
    for (char& c : out)
        if (c == '\'' || c == '=') c = '_';
    return out.empty() ? "value" : out;
}

std::string render_threshold(const std::optional<Range>& range) {
    return range && !range->inside ? render_range(*range) : std::string();
}

std::string render_bound(const std::optional<double>& bound) {
    return bound && std::isfinite(*bound) ? render_number(*bound) : std::string();
}

}  // namespace

std::string render_perfdata(const Perfdata& perfdata) {
    // Parsers refuse "U", nan and inf; a value that is not known is left out instead.
    if (!std::isfinite(perfdata.value)) return {};
    std::string out;
    out.reserve(160);  // a program with many targets writes hundreds of them
    out.append("'").append(render_label(perfdata.label)).append("'=");
    out.append(render_number(perfdata.value)).append(printable(perfdata.unit, 16));
    out.append(";").append(render_threshold(perfdata.threshold.warning));
    out.append(";").append(render_threshold(perfdata.threshold.critical));
    out.append(";").append(render_bound(perfdata.min));
    out.append(";").append(render_bound(perfdata.max));
    out.erase(out.find_last_not_of(';') + 1);
    return out;
}

std::string render_perfdata(const std::vector<Perfdata>& perfdata) {
    std::vector<std::string> items;
    for (const Perfdata& item : perfdata)
        if (std::string text = render_perfdata(item); !text.empty())
            items.push_back(std::move(text));
    return join(items, " ");
}

}  // namespace domkeeper
