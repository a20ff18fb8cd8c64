// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/json.hpp"

#include <array>
#include <cstdio>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

void break_line(std::string& out, std::size_t depth) {
    out.append("\n").append(2 * depth, ' ');
}

}  // namespace

std::string render_json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const auto first = static_cast<unsigned char>(text[0]);
        const std::size_t take = length == 0 ? 1 : length;
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (text[0] == '"' || text[0] == '\\') {
            out.append("\\") += text[0];
        } else if (text[0] == '\n') {
            out += "\\n";
        } else if (first < 0x20 || first == 0x7F) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(first));
            out += escape.data();
        } else {
            out += text.substr(0, take);
        }
        text.remove_prefix(take);
    }
    return out + "\"";
}

Json Json::array() {
    Json json;
    json.value_ = Array{};
    return json;
}

Json Json::object() {
    Json json;
    json.value_ = Object{};
    return json;
}

Json Json::seconds(Duration span) {
    Json json;
    json.value_ = Number{render_seconds(span)};
    return json;
}

Json& Json::push(Json value) {
    std::get<Array>(value_).items.push_back(std::move(value));
    return *this;
}

Json& Json::set(std::string_view name, Json value) {
    std::get<Object>(value_).members.emplace_back(name, std::move(value));
    return *this;
}

Json& Json::merge(Json other) {
    for (auto& member : std::get<Object>(other.value_).members)
        std::get<Object>(value_).members.push_back(std::move(member));
    return *this;
}

std::string Json::render() const {
    std::string out;
    write(out, 0);
    return out + "\n";
}

void Json::write(std::string& out, std::size_t depth) const {
    if (const auto* yes = std::get_if<bool>(&value_)) {
        out += *yes ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&value_)) {
        out += std::to_string(*whole);
    } else if (const auto* number = std::get_if<Number>(&value_)) {
        out += number->text;
    } else if (const auto* text = std::get_if<std::string>(&value_)) {
        out += render_json_string(*text);
    } else if (const auto* array = std::get_if<Array>(&value_)) {
        out += '[';
        for (const Json& item : array->items) {
            if (&item != &array->items.front()) out += ',';
            break_line(out, depth + 1);
            item.write(out, depth + 1);
        }
        if (!array->items.empty()) break_line(out, depth);
        out += ']';
    } else if (const auto* object = std::get_if<Object>(&value_)) {
        out += '{';
        for (const auto& member : object->members) {
            if (&member != &object->members.front()) out += ',';
            break_line(out, depth + 1);
            out += render_json_string(member.first) + ": ";
            member.second.write(out, depth + 1);
        }
        if (!object->members.empty()) break_line(out, depth);
        out += '}';
    } else {
        out += "null";
    }
}

}  // namespace domkeeper
