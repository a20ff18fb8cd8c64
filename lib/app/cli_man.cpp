// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/app/cli_table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Text for roff: no escape, request or hyphen of it is left to chance.
std::string roff(std::string_view text) {
    std::string out;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        line_start = c == '\n';
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    return out;
}

std::string bold(std::string_view text) {
    return "\\fB" + roff(text) + "\\fR";
}
std::string italic(std::string_view text) {
    return "\\fI" + roff(text) + "\\fR";
}

std::string section(const std::string& name) {
    return ".SH " + name + "\n";
}

std::string body(const std::string& text) {
    std::string out;
    for (const std::string& paragraph : paragraphs(text)) {
        const bool verbatim = starts_with(paragraph, "    ");
        if (!out.empty()) out += ".PP\n";
        if (verbatim) out += ".nf\n";
        for (const std::string& line : split(paragraph, '\n'))
            out += roff(verbatim ? std::string_view(line) : trim(line)) + "\n";
        if (verbatim) out += ".fi\n";
    }
    return out;
}

std::string option_entry(const Option& option) {
    std::string out = ".TP\n";
    if (option.letter != 0) out += bold(std::string("-") + option.letter) + ", ";
    out += bold(long_option(option));
    if (takes_value(option)) out += " " + italic(value_word(option));
    out += "\n" + roff(option.help);
    if (!option.choices.empty()) out += "\nOne of " + roff(join(option.choices, ", ")) + ".";
    if (option.required) out += "\nRequired.";
    if (option.repeatable && takes_value(option)) out += "\nMay be given several times.";
    if (!option.default_value.empty()) out += "\nDefault: " + roff(option.default_value) + ".";
    if (option.secret) out += "\nOnly read from standard input, never from the command line.";
    if (!option.aliases.empty()) out += "\nAlso known as " + roff(join(option.aliases, ", ")) + ".";
    return out + "\n";
}

std::string option_entries(const std::vector<Option>& options) {
    std::string out;
    for (const Option& option : options)
        if (!option.hidden) out += option_entry(option);
    return out;
}

std::string entry(const std::string& word, const std::string& text) {
    return ".TP\n" + bold(word) + "\n" + roff(text) + "\n";
}

std::string exit_status(ProgramKind kind) {
    switch (kind) {
        case ProgramKind::Check:
            return entry("0", "OK") + entry("1", "WARNING") + entry("2", "CRITICAL") +
                   entry("3",
                         "UNKNOWN: it could not be found out, the time was over, or the command "
                         "line was wrong; also after --help and --version.");
        case ProgramKind::FenceAgent:
            return entry("0", "The action succeeded; for the action status: the plug is on.") +
                   entry("1",
                         "It failed, or the options were wrong; the reason is on standard "
                         "error.") +
                   entry("2", "Only for the action status: the plug is off.");
        case ProgramKind::Handler:
            return entry("0", "The event was accepted, or ignored for the reason printed.") +
                   entry("1", "It could not be accepted: this machine failed or was too slow.") +
                   entry("3", "The command line or the cluster file is wrong.");
        case ProgramKind::Tool:
            return entry("0", "Done.") +
                   entry("1", "It failed or was refused, for the reason printed.") +
                   entry("2", "The command line or the cluster file is wrong.");
    }
    return {};
}

bool reads_cluster_file(const Program& program) {
    return find_option(union_of_options(program), "config") != nullptr;
}

std::string commands(const Program& program) {
    if (program.commands.empty()) return {};
    std::string out = section("COMMANDS");
    for (const Subcommand& command : program.commands) {
        out += ".TP\n" + bold(command.name);
        if (!command.argument.empty()) out += " " + italic(command.argument);
        out += "\n" + roff(command.help) + "\n";
        if (!command.options.empty()) out += ".RS\n" + option_entries(command.options) + ".RE\n";
    }
    return out;
}

std::string examples(const Program& program) {
    if (program.examples.empty()) return {};
    std::string out = section("EXAMPLES");
    for (const std::string& example : program.examples) {
        const std::vector<std::string> parts = split(example, '\t');
        if (parts.empty()) continue;
        out += entry(parts[0], parts.size() > 1 ? parts[1] : "");
    }
    return out;
}

std::string see_also(const Program& program) {
    std::string out = section("SEE ALSO");
    std::vector<std::string> pages;
    for (const char* page :
         {"check_aoe", "check_cluster", "check_dom0", "check_domu", "check_fence", "check_iscsi",
          "check_xenstore", "domkeeper", "fence_aoe", "fence_host", "fence_ipmi", "fence_iscsi",
          "fence_pdu", "handle_domu", "handle_host"})
        if (page != program.name) pages.push_back(bold(page) + "(8)");
    return out + join(pages, ",\n") + "\n";
}

}  // namespace

std::string render_man_page(const Program& program) {
    std::string title = program.name;
    std::transform(title.begin(), title.end(), title.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    std::string brief = program.brief;
    if (!brief.empty() && brief.back() == '.') brief.pop_back();
    std::string out = ".\\\" Made from the option table of " + program.name + ".\n";
    out += ".TH " + roff(title) + " 8 \"\" \"domkeeper " + std::string(DOMKEEPER_VERSION) +
           "\" \"System Administration\"\n.nh\n";
    out += section("NAME") + roff(program.name) + " \\- " + roff(brief) + "\n";
    out += section("SYNOPSIS") + bold(program.name) + " [" + italic("OPTION") + "]...";
    if (!program.commands.empty()) out += " " + italic("COMMAND") + " [" + italic("ARGUMENT") + "]";
    out += "\n" + section("DESCRIPTION");
    out += body(program.description.empty() ? program.brief : program.description);
    if (program.kind == ProgramKind::FenceAgent)
        out +=
            ".PP\nWithout options on the command line they are read from standard input, one\n"
            "name=value in a line. Lines that begin with # and unknown names are ignored, the\n"
            "last value of a name wins, and \\- and _ are equal in names.\n";
    out += commands(program);
    out += section("OPTIONS") + option_entries(program_options(program));
    out += section("EXIT STATUS") + exit_status(program.kind);
    if (reads_cluster_file(program)) {
        out += section("ENVIRONMENT") +
               entry("DOMKEEPER_CONFIG", "The cluster file, where --config does not name one.");
        out += section("FILES") + entry("/etc/domkeeper/domkeeper.toml",
                                        "The cluster file, where nothing names another.");
    }
    return out + examples(program) + see_also(program);
}

}  // namespace domkeeper
