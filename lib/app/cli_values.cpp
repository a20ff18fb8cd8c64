// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/app/cli_table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// A year: longer times are slips of the keyboard, and overflow somewhere below.
constexpr double longest_seconds = 366.0 * 86'400;

std::optional<Duration> parse_seconds(std::string_view text) {
    const auto seconds = parse_number(text);
    if (!seconds || *seconds < 0 || *seconds > longest_seconds) return std::nullopt;
    return Duration{static_cast<Duration::rep>(*seconds * 1000 + 0.5)};
}

/// A time with a unit is never a bare number, nor the other way round.
std::optional<Duration> parse_time(std::string_view text) {
    const auto seconds = parse_seconds(text);
    return seconds ? seconds : parse_duration(text);
}

std::string choice_trouble(const Program& program, const Option& option, const std::string& value) {
    const bool agent = program.kind == ProgramKind::FenceAgent;
    const std::string word =
        agent ? (lower(value) == "meta-data" ? "metadata" : lower(value)) : value;
    for (const std::string& choice : option.choices)
        if (word == (agent ? lower(choice) : choice)) return {};
    std::string out = "is not one of " + join(option.choices, ", ");
    for (const std::string& choice : option.choices)
        if (lower(choice) == lower(value)) return out + " (meant " + choice + "?)";
    if (const auto near = closest(value, option.choices)) out += " (meant " + *near + "?)";
    return out;
}

/// What is wrong with a value, without the value; empty when nothing is.
std::string plain_trouble(const Program& program, const Option& option, const std::string& value) {
    switch (option.type) {
        case ValueType::Flag: return {};
        case ValueType::Text: return option.required && value.empty() ? "must not be empty" : "";
        case ValueType::File: return value.empty() ? "must not be empty" : "";
        case ValueType::Integer: return parse_integer(value) ? "" : "is no whole number";
        case ValueType::Number: return parse_number(value) ? "" : "is no number";
        case ValueType::Seconds: {
            const auto seconds = parse_seconds(value);
            if (!seconds) return "is no number of seconds, for example 10 or 2.5";
            if (option_key(option.name) == "timeout" && *seconds == Duration::zero())
                return "leaves no time at all";
            return {};
        }
        case ValueType::TimeSpan:
            return parse_duration(value) ? "" : "is no time, for example 400ms, 5s, 10min or 2h";
        case ValueType::Bytes:
            return parse_bytes(value) ? "" : "is no size, for example 512MiB or 2GiB";
        case ValueType::Range:
            return parse_range(value) ? "" : "is no range, for example 10, 5:10, 5:, ~:10 or @5:10";
        case ValueType::Choice: return choice_trouble(program, option, value);
    }
    return "is of an unknown type";
}

}  // namespace

std::string value_trouble(const Program& program, const Option& option, const std::string& value) {
    const std::string trouble = plain_trouble(program, option, value);
    if (trouble.empty()) return {};
    return (option.secret ? std::string("the value") : "'" + printable(value, 80) + "'") + " " +
           trouble;
}

bool Arguments::given(const std::string& name) const {
    return values_.count(option_key(name)) != 0;
}

std::string Arguments::text(const std::string& name) const {
    const std::string key = option_key(name);
    if (const auto found = values_.find(key); found != values_.end()) return found->second.back();
    const auto fallback = defaults_.find(key);
    return fallback != defaults_.end() ? fallback->second : std::string();
}

std::vector<std::string> Arguments::all(const std::string& name) const {
    const std::string key = option_key(name);
    if (const auto found = values_.find(key); found != values_.end()) return found->second;
    const auto fallback = defaults_.find(key);
    if (fallback == defaults_.end()) return {};
    return {fallback->second};
}

std::optional<std::int64_t> Arguments::integer(const std::string& name) const {
    return parse_integer(text(name));
}

std::optional<double> Arguments::number(const std::string& name) const {
    return parse_number(text(name));
}

std::optional<Duration> Arguments::duration(const std::string& name) const {
    return parse_time(text(name));
}

std::optional<Bytes> Arguments::bytes(const std::string& name) const {
    return parse_bytes(text(name));
}

std::optional<Range> Arguments::range(const std::string& name) const {
    return parse_range(text(name));
}

int Arguments::verbosity() const {
    const auto found = values_.find("verbose");
    return found == values_.end()
               ? 0
               : static_cast<int>(std::min<std::size_t>(found->second.size(), 9));
}

Duration Arguments::timeout() const {
    return duration("timeout").value_or(Duration{10'000});
}

Duration default_timeout(const Program& program) {
    const std::vector<Option> options = program_options(program);
    const Option* option = find_option(options, "timeout");
    return (option == nullptr ? std::nullopt : parse_time(option->default_value))
        .value_or(Duration{10'000});
}

}  // namespace domkeeper
