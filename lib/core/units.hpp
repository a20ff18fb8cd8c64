// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/time.hpp"

namespace domkeeper {

/// An amount of memory or disk in bytes. Signed, so that what is missing can be a number too.
struct Bytes {
    std::int64_t count = 0;

    friend auto operator<=>(const Bytes&, const Bytes&) = default;
    friend Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
    friend Bytes operator-(Bytes a, Bytes b) { return {a.count - b.count}; }
    Bytes& operator+=(Bytes other) {
        count += other.count;
        return *this;
    }
    Bytes& operator-=(Bytes other) {
        count -= other.count;
        return *this;
    }
};

constexpr Bytes kibibytes(std::int64_t n) {
    return {n * 1024};
}
constexpr Bytes mebibytes(std::int64_t n) {
    return {n * 1024 * 1024};
}
constexpr Bytes gibibytes(std::int64_t n) {
    return {n * 1024 * 1024 * 1024};
}

/// A size such as "512MiB", "2GiB", "1.5GiB", "4096" (bytes). Units are B, KiB, MiB, GiB, TiB;
/// decimal units (GB) are refused: for memory they are nearly always a mistake.
std::optional<Bytes> parse_bytes(std::string_view text);
/// The largest unit that keeps the number readable: "512 MiB", "1.5 GiB".
std::string render_bytes(Bytes b);

/// A span such as "400ms", "5s", "10min", "2h", "1d". A bare number is refused.
std::optional<Duration> parse_duration(std::string_view text);
/// "400ms", "5s", "1.5s", "10min", "2h 5min".
std::string render_duration(Duration d);

}  // namespace domkeeper
