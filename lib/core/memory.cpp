// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/memory.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && c != '%' && c != '=') {
            out += c;
            continue;
        }
        out += '%';
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
    }
    return out;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const std::size_t high = hex_digits.find(text[i + 1]);
        const std::size_t low = hex_digits.find(text[i + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

Duration span_since(TimePoint then, TimePoint now) {
    // A clock that was set back must not make an old thing a future one.
    return std::max(Duration{0}, std::chrono::duration_cast<Duration>(now - then));
}

}  // namespace

std::optional<std::string> Memory::find(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<TimePoint> Memory::find_time(const std::string& key) const {
    const auto text = find(key);
    const auto ms = text ? parse_integer(*text) : std::nullopt;
    // Outside the years that a clock can show, the multiplication below would overflow.
    constexpr std::int64_t most = 4'000'000'000'000;
    if (!ms || *ms < 0 || *ms > most) return std::nullopt;
    return TimePoint(std::chrono::milliseconds(*ms));
}

void Memory::put(const std::string& key, const std::string& value) {
    values_[key] = value;
}

void Memory::put_time(const std::string& key, TimePoint time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
    put(key, std::to_string(ms.count()));
}

std::string render_memory(const Memory& memory) {
    std::string out;
    for (const auto& [key, value] : memory.values()) {
        const std::string line = escaped(key) + "=" + escaped(value) + "\n";
        if (out.size() + line.size() > memory_limit) break;
        out += line;
    }
    return out;
}

Memory parse_memory(std::string_view text) {
    Memory memory;
    for (const std::string& line : split(text.substr(0, memory_limit), '\n')) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || equals == 0) continue;
        const auto key = unescaped(std::string_view(line).substr(0, equals));
        const auto value = unescaped(std::string_view(line).substr(equals + 1));
        if (key && value) memory.put(*key, *value);
    }
    return memory;
}

std::optional<Duration> Recall::sighted(const std::string& key) const {
    if (before == nullptr) return std::nullopt;
    const TimePoint since = before->find_time(key).value_or(now);
    after->put_time(key, since);
    return span_since(since, now);
}

std::optional<Duration> Recall::unchanged(const std::string& key, const std::string& value) const {
    if (before == nullptr) return std::nullopt;
    const std::string value_key = key + " value";
    const std::string since_key = key + " since";
    const bool same = before->find(value_key) == value;
    const TimePoint since = same ? before->find_time(since_key).value_or(now) : now;
    after->put(value_key, value);
    after->put_time(since_key, since);
    return span_since(since, now);
}

std::string digest(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += hex_digits[(hash >> shift) & 15];
    return out;
}

}  // namespace domkeeper
