// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cli_table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string usual_timeout(ProgramKind kind) {
    switch (kind) {
        case ProgramKind::Check: return "10";
        // Pacemaker gives an agent 60 s and then kills it without a word: be done before.
        case ProgramKind::FenceAgent: return "50";
        case ProgramKind::Handler: return "10";
        case ProgramKind::Tool: return "30";
    }
    return "10";
}

std::vector<Option> common_options(const Program& program) {
    std::vector<Option> rows;
    if (program.kind == ProgramKind::FenceAgent)
        rows.push_back({.name = "action",
                        .letter = 'o',
                        .type = ValueType::Choice,
                        .value_name = "ACTION",
                        .help = "What to do.",
                        .default_value = "reboot",
                        .choices = {"on", "off", "reboot", "status", "monitor", "list", "metadata",
                                    "validate-all"}});
    rows.push_back({.name = "timeout",
                    .letter = 't',
                    .type = ValueType::Seconds,
                    .value_name = "SECONDS",
                    .help = "End after this time, whatever hangs.",
                    .default_value = usual_timeout(program.kind)});
    rows.push_back({.name = "verbose",
                    .letter = 'v',
                    .type = ValueType::Flag,
                    .help = "Say more; may be given several times.",
                    .repeatable = true});
    rows.push_back(
        {.name = "help", .letter = 'h', .type = ValueType::Flag, .help = "Print this help."});
    rows.push_back(
        {.name = "version", .letter = 'V', .type = ValueType::Flag, .help = "Print the version."});
    rows.push_back({.name = "generate",
                    .type = ValueType::Choice,
                    .value_name = "WHAT",
                    .help = "Print a text made from the option table.",
                    .choices = {"man", "completion", "icinga2", "nagios", "metadata"},
                    .hidden = true});
    return rows;
}

bool has_letter(const std::vector<Option>& options, char letter) {
    return std::any_of(options.begin(), options.end(),
                       [letter](const Option& o) { return o.letter == letter; });
}

/// Adds `option` unless its name is taken; gives up its letter when that is taken.
void merge(std::vector<Option>& options, Option option) {
    if (find_option(options, option.name) != nullptr) return;
    if (option.letter != 0 && has_letter(options, option.letter)) option.letter = 0;
    options.push_back(std::move(option));
}

void find_mistakes(const Program& program, const std::vector<Option>& options,
                   const std::string& where, std::vector<std::string>& mistakes) {
    std::set<std::string> names;
    std::set<char> letters;
    for (const Option& option : options) {
        const std::string label = where + long_option(option);
        std::vector<std::string> own = option.aliases;
        own.push_back(option.name);
        for (const std::string& name : own)
            if (name.empty() || !names.insert(option_key(name)).second)
                mistakes.push_back(label + ": the name '" + name + "' is empty or taken");
        if (option.letter != 0 && !letters.insert(option.letter).second)
            mistakes.push_back(label + ": the letter is taken");
        if ((option.type == ValueType::Choice) == option.choices.empty())
            mistakes.push_back(label + ": choices and type do not fit");
        if (option.help.empty()) mistakes.push_back(label + ": no help");
        if (option.required && !option.default_value.empty())
            mistakes.push_back(label + ": required, and has a default");
        if (option.type == ValueType::Flag && !option.default_value.empty())
            mistakes.push_back(label + ": a flag has no default");
        if (!option.default_value.empty()) {
            const std::string trouble = value_trouble(program, option, option.default_value);
            if (!trouble.empty()) mistakes.push_back(label + ": default: " + trouble);
        }
    }
}

}  // namespace

std::string option_key(std::string_view name) {
    std::string key(name);
    std::replace(key.begin(), key.end(), '_', '-');
    return key;
}

std::string long_option(const Option& option) {
    return "--" + option_key(option.name);
}

std::string option_forms(const Option& option) {
    std::string out = option.letter != 0 ? std::string("-") + option.letter + ", " : std::string();
    out += long_option(option);
    return takes_value(option) ? out + " " + value_word(option) : out;
}

bool takes_value(const Option& option) {
    return option.type != ValueType::Flag;
}

std::string value_word(const Option& option) {
    if (!option.value_name.empty()) return option.value_name;
    switch (option.type) {
        case ValueType::Flag: return "";
        case ValueType::Text: return "TEXT";
        case ValueType::Integer: return "N";
        case ValueType::Number: return "NUMBER";
        case ValueType::Seconds: return "SECONDS";
        case ValueType::TimeSpan: return "TIME";
        case ValueType::Bytes: return "SIZE";
        case ValueType::Range: return "RANGE";
        case ValueType::File: return "FILE";
        case ValueType::Choice: return "WORD";
    }
    return "VALUE";
}

std::vector<Option> program_options(const Program& program) {
    std::vector<Option> options = program.options;
    for (Option& option : common_options(program)) merge(options, std::move(option));
    return options;
}

std::vector<Option> command_options(const Program& program, std::string_view command) {
    std::vector<Option> options;
    if (const Subcommand* sub = find_command(program, command)) options = sub->options;
    for (Option& option : program_options(program)) merge(options, std::move(option));
    return options;
}

std::vector<Option> union_of_options(const Program& program) {
    std::vector<Option> options = program_options(program);
    for (const Subcommand& command : program.commands)
        for (const Option& option : command.options) merge(options, option);
    return options;
}

const Subcommand* find_command(const Program& program, std::string_view name) {
    for (const Subcommand& command : program.commands)
        if (command.name == name) return &command;
    return nullptr;
}

const Option* find_option(const std::vector<Option>& options, std::string_view name) {
    const auto named = [name](std::string_view own) {
        const auto folded = [](char c) { return c == '_' ? '-' : c; };
        return std::equal(own.begin(), own.end(), name.begin(), name.end(),
                          [&](char a, char b) { return folded(a) == folded(b); });
    };
    for (const Option& option : options)
        if (named(option.name) || std::any_of(option.aliases.begin(), option.aliases.end(), named))
            return &option;
    return nullptr;
}

std::vector<std::string> table_mistakes(const Program& program) {
    std::vector<std::string> mistakes;
    find_mistakes(program, program_options(program), "", mistakes);
    std::map<std::string, const Option*> seen;
    const std::vector<Option> whole = union_of_options(program);
    for (const Subcommand& command : program.commands) {
        find_mistakes(program, command.options, command.name + " ", mistakes);
        for (const Option& option : command.options) {
            const Option* first = find_option(whole, option.name);
            if (first != nullptr && (takes_value(*first) != takes_value(option) ||
                                     (option.letter != 0 && first->letter != option.letter)))
                mistakes.push_back(command.name + " " + long_option(option) +
                                   ": differs in letter or value from its namesake");
        }
    }
    return mistakes;
}

std::string check_value(const Program& program, const Option& option, const std::string& value) {
    const std::string trouble = value_trouble(program, option, value);
    if (!trouble.empty()) throw UsageError(long_option(option) + ": " + trouble);
    if (option.type != ValueType::Choice || program.kind != ProgramKind::FenceAgent) return value;
    // The agents' API: words are compared without regard to case, and meta-data is metadata.
    const std::string word = lower(value) == "meta-data" ? "metadata" : lower(value);
    for (const std::string& choice : option.choices)
        if (lower(choice) == word) return choice;
    return value;
}

void CommandLine::add(const Option& option, const std::string& value) {
    std::vector<std::string>& values = arguments_.values_[option_key(option.name)];
    if (!values.empty() && !option.repeatable && takes_value(option))
        throw UsageError(long_option(option) + ": given twice");
    values.push_back(takes_value(option) ? check_value(program_, option, value) : std::string());
}

void CommandLine::replace(const Option& option, const std::string& value) {
    remove(option);
    add(option, value);
}

void CommandLine::remove(const Option& option) {
    arguments_.values_.erase(option_key(option.name));
}

void CommandLine::set_command(std::string command, std::string argument) {
    arguments_.command_ = std::move(command);
    arguments_.argument_ = std::move(argument);
}

Parsed CommandLine::finish() {
    Parsed parsed;
    const Subcommand* command = find_command(program_, arguments_.command_);
    if (given("help")) {
        parsed.output =
            command != nullptr ? render_command_help(program_, *command) : render_help(program_);
        return parsed;
    }
    if (given("version")) {
        parsed.output = render_version(program_);
        return parsed;
    }
    if (given("generate")) {
        parsed.output = render_generated(program_, arguments_.text("generate"));
        parsed.generated = true;
        return parsed;
    }
    const std::string action = arguments_.text("action");
    if (program_.kind == ProgramKind::FenceAgent && (action == "metadata" || action == "manpage")) {
        parsed.output =
            action == "metadata" ? render_agent_metadata(program_) : render_man_page(program_);
        parsed.generated = true;
        return parsed;
    }
    for (const Option& option : command_options(program_, arguments_.command_)) {
        if (!option.default_value.empty())
            arguments_.defaults_[option_key(option.name)] = option.default_value;
        if (option.required && !given(option.name))
            throw UsageError(long_option(option) + " " + value_word(option) + " is needed");
    }
    parsed.arguments = arguments_;
    return parsed;
}

}  // namespace domkeeper
