// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/time.hpp"

namespace domkeeper {

/// What a check remembers from one run to the next: short texts under keys. What a run does not
/// put in again is forgotten.
class Memory {
  public:
    /// Empty: nothing is known under that key.
    std::optional<std::string> find(const std::string& key) const;
    std::optional<TimePoint> find_time(const std::string& key) const;
    void put(const std::string& key, const std::string& value);
    void put_time(const std::string& key, TimePoint time);
    bool empty() const { return values_.empty(); }
    const std::map<std::string, std::string>& values() const { return values_; }

  private:
    std::map<std::string, std::string> values_;
};

/// More than this is never kept.
constexpr std::size_t memory_limit = 1024 * 1024;

/// A line an entry, "key=value"; bytes that would not fit on the line are written as %XX. Entries
/// beyond the limit are left out.
std::string render_memory(const Memory& memory);
/// Lines that are not of that form are passed over: a broken memory is a shorter one.
Memory parse_memory(std::string_view text);

/// What was remembered, what is put down for the next run, and when this run is.
struct Recall {
    const Memory* before =
        nullptr;              ///< null: there is no memory, everything is as if seen long ago
    Memory* after = nullptr;  ///< null together with `before`
    TimePoint now;

    /// Notes that `key` is so now. Returns how long it has been so: zero when it was not so at the
    /// last run; empty without a memory.
    std::optional<Duration> sighted(const std::string& key) const;
    /// The same for a value: how long `key` has had this value.
    std::optional<Duration> unchanged(const std::string& key, const std::string& value) const;
};

/// A number for a text of any length, to tell whether it changed (FNV-1a, 64 bits, in hex).
std::string digest(std::string_view text);

}  // namespace domkeeper
