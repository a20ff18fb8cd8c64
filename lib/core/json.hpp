// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lib/core/time.hpp"

namespace domkeeper {

/// A JSON value to be written (RFC 8259). Members keep the order in which they were added.
class Json {
  public:
    Json() = default;  ///< null
    Json(bool value) : value_(value) {}
    Json(int value) : value_(std::int64_t{value}) {}
    Json(std::int64_t value) : value_(value) {}
    Json(std::string_view text) : value_(std::string(text)) {}
    Json(const std::string& text) : value_(text) {}
    Json(const char* text) : value_(std::string(text)) {}
    /// Empty: null.
    template <typename T>
    Json(const std::optional<T>& value) {
        if (value) *this = Json(*value);
    }
    template <typename T>
    Json(const T*) = delete;  // a pointer would quietly become true

    static Json array();
    static Json object();
    /// Seconds with three decimals, as a number.
    static Json seconds(Duration span);
    /// UTC in ISO 8601 with milliseconds, as a text.
    static Json time(TimePoint at) { return Json(render_time(at)); }

    /// Appends to an array.
    Json& push(Json value);
    /// Adds a member to an object; the caller sees to it that each name comes once.
    Json& set(std::string_view name, Json value);

    /// Adds the members of another object behind its own.
    Json& merge(Json other);

    /// Two spaces a level and a newline at the end of the document. Always valid UTF-8 without
    /// control bytes: what is no UTF-8 (and C1) becomes U+FFFD, controls and DEL are escaped.
    std::string render() const;

  private:
    struct Number {
        std::string text;
    };
    struct Array {
        std::vector<Json> items;
    };
    struct Object {
        std::vector<std::pair<std::string, Json>> members;
    };
    void write(std::string& out, std::size_t depth) const;

    std::variant<std::monostate, bool, std::int64_t, Number, std::string, Array, Object> value_;
};

/// `text` as a JSON string with its quotes.
std::string render_json_string(std::string_view text);

}  // namespace domkeeper
