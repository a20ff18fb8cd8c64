// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/units.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

struct Quantity {
    double value;
    std::string_view unit;
};

std::optional<Quantity> parse_quantity(std::string_view text) {
    const std::size_t end = text.find_first_not_of("0123456789.");
    const auto value = parse_number(text.substr(0, end));
    if (!value) return std::nullopt;
    return Quantity{*value,
                    end == std::string_view::npos ? std::string_view{} : trim(text.substr(end))};
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 6> units{{{"", 1.0},
                                                                               {"B", 1.0},
                                                                               {"KiB", 0x1p10},
                                                                               {"MiB", 0x1p20},
                                                                               {"GiB", 0x1p30},
                                                                               {"TiB", 0x1p40}}};
    const auto quantity = parse_quantity(text);
    if (!quantity) return std::nullopt;
    for (const auto& [name, factor] : units)
        if (name == quantity->unit) {
            const double bytes = quantity->value * factor;
            if (bytes > 0x1p60) return std::nullopt;
            return Bytes{static_cast<std::int64_t>(std::llround(bytes))};
        }
    return std::nullopt;
}

std::string render_bytes(Bytes b) {
    static constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(b.count);
    std::size_t unit = 0;
    while (std::abs(value) >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return render_number(value, 1) + " " + std::string(units[unit]);
}

std::optional<Duration> parse_duration(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 7> units{{{"ms", 1.0},
                                                                               {"s", 1e3},
                                                                               {"m", 6e4},
                                                                               {"min", 6e4},
                                                                               {"h", 36e5},
                                                                               {"d", 864e5},
                                                                               {"w", 6048e5}}};
    const auto quantity = parse_quantity(text);
    if (!quantity) return std::nullopt;
    for (const auto& [name, factor] : units)
        if (name == quantity->unit) {
            const double ms = quantity->value * factor;
            if (ms > 3.2e13) return std::nullopt;  // a thousand years
            return Duration{std::llround(ms)};
        }
    return std::nullopt;
}

std::string render_duration(Duration d) {
    const auto ms = d.count();
    if (ms < 0) return "-" + render_duration(-d);
    if (ms < 1000) return std::to_string(ms) + "ms";
    if (ms < 60'000) return render_number(static_cast<double>(ms) / 1000, 1) + "s";
    const auto pair = [](long long big, const char* name, long long small, const char* small_name) {
        std::string out = std::to_string(big) + name;
        if (small != 0) out += " " + std::to_string(small) + small_name;
        return out;
    };
    const long long s = ms / 1000;
    if (s < 3600) return pair(s / 60, "min", s % 60, "s");
    if (s < 86'400) return pair(s / 3600, "h", s % 3600 / 60, "min");
    return pair(s / 86'400, "d", s % 86'400 / 3600, "h");
}

}  // namespace domkeeper
