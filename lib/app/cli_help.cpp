// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/app/cli_table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t screen = 79;
constexpr std::size_t help_column = 28;

std::string described(const Option& option) {
    std::string text = option.help;
    if (!option.choices.empty()) text += " One of " + join(option.choices, ", ") + ".";
    if (option.required) text += " Required.";
    if (option.repeatable && takes_value(option)) text += " May be given several times.";
    if (!option.default_value.empty()) text += " Default: " + option.default_value + ".";
    return text;
}

std::string row(const std::string& left, const std::string& right) {
    std::string out = "  " + left;
    if (out.size() + 2 > help_column)
        out += "\n" + std::string(help_column, ' ');
    else
        out += std::string(help_column - out.size(), ' ');
    return out + wrapped(right, screen - help_column, help_column) + "\n";
}

std::string option_rows(const std::vector<Option>& options) {
    std::string out;
    for (const Option& option : options) {
        if (option.hidden) continue;
        const std::string forms = option_forms(option);
        out += row(option.letter != 0 ? forms : "    " + forms, described(option));
    }
    return out;
}

}  // namespace

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
    std::string out;
    std::size_t column = 0;
    for (const std::string& word : split(text, ' ')) {
        if (word.empty()) continue;
        if (column != 0 && column + 1 + word.size() > width) {
            out += "\n" + std::string(indent, ' ');
            column = 0;
        }
        if (column != 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

std::vector<std::string> paragraphs(const std::string& text) {
    std::vector<std::string> out;
    bool open = false;
    for (const std::string& line : split(text, '\n')) {
        if (trim(line).empty()) {
            open = false;
            continue;
        }
        if (open)
            out.back() += "\n" + line;
        else
            out.push_back(line);
        open = true;
    }
    return out;
}

std::string render_version(const Program& program) {
    return program.name + " (domkeeper) " + DOMKEEPER_VERSION + "\n";
}

std::string render_help(const Program& program) {
    std::string out = "Usage: " + program.name + " [OPTION]...";
    if (!program.commands.empty()) out += " COMMAND [ARGUMENT]";
    out += "\n" + wrapped(program.brief, screen, 0) + "\n";
    if (!program.commands.empty()) {
        out += "\nCommands:\n";
        for (const Subcommand& command : program.commands) {
            const std::string gap = command.argument.empty() ? "" : " ";
            out += row(command.name + gap + command.argument, command.help);
        }
    }
    out += "\nOptions:\n" + option_rows(program_options(program));
    for (const Subcommand& command : program.commands)
        if (!command.options.empty())
            out += "\nOptions of " + command.name + ":\n" + option_rows(command.options);
    if (program.kind == ProgramKind::FenceAgent)
        out += "\nWithout options they are read from standard input, as name=value lines.\n";
    if (!program.examples.empty()) out += "\nExamples:\n";
    for (const std::string& example : program.examples) {
        const std::vector<std::string> parts = split(example, '\t');
        if (parts.empty()) continue;
        out += "  " + parts[0] + "\n";
        if (parts.size() > 1) out += "      " + wrapped(parts[1], screen - 6, 6) + "\n";
    }
    return out;
}

std::string render_command_help(const Program& program, const Subcommand& command) {
    std::string out = "Usage: " + program.name + " [OPTION]... " + command.name;
    if (!command.argument.empty()) out += " " + command.argument;
    out += "\n" + wrapped(command.help, screen, 0) + "\n\nOptions:\n";
    return out + option_rows(command_options(program, command.name));
}

}  // namespace domkeeper
