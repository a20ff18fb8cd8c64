// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <utility>

#include "lib/app/cli_table.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Nagios 4 manual, "Standard Macros"; Icinga 2 manual, "Host Runtime Macros" and
/// "Service Runtime Macros". Empty: Icinga 2 has none.
std::string icinga_macro(const std::string& nagios) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> macros{{
        {"$HOSTNAME$", "$host.name$"},
        {"$HOSTADDRESS$", "$host.address$"},
        {"$HOSTSTATE$", "$host.state$"},
        {"$HOSTSTATETYPE$", "$host.state_type$"},
        {"$HOSTATTEMPT$", "$host.check_attempt$"},
        {"$HOSTOUTPUT$", "$host.output$"},
        {"$HOSTDURATIONSEC$", "$host.duration_sec$"},
        {"$PROCESSSTARTTIME$", ""},  // $icinga.uptime$ is a text for people
        {"$SERVICESTATE$", "$service.state$"},
        {"$SERVICESTATETYPE$", "$service.state_type$"},
        {"$SERVICEATTEMPT$", "$service.check_attempt$"},
    }};
    for (const auto& [old_name, new_name] : macros)
        if (old_name == nagios) return std::string(new_name);
    throw SystemError("no Icinga 2 macro is known for " + printable(nagios));
}

bool for_monitor(const Program& program) {
    return program.kind == ProgramKind::Check || program.kind == ProgramKind::Handler;
}

/// Options that a monitor may set: those that only make the program print a text are none.
std::vector<Option> monitor_options(const Program& program) {
    std::vector<Option> out;
    for (const Option& option : program_options(program))
        if (!option.hidden && !option.secret && option.name != "help" && option.name != "version")
            out.push_back(option);
    return out;
}

std::string path_of(const Program& program) {
    return std::string(program.kind == ProgramKind::Handler ? "@handlerdir@" : "@plugindir@") +
           "/" + program.name;
}

/// Icinga's string literal: quotes and backslashes are escaped, and a '$' would begin a macro.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? ' ' : c;
        if (c == '$') out += '$';
    }
    return out + "\"";
}

std::string variable_of(const Program& program, const Option& option) {
    std::string name = program.name + "_" + option_key(option.name);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

std::string icinga_argument(const Program& program, const Option& option) {
    const std::string variable = variable_of(program, option);
    std::string out = "\t\t\"" + long_option(option) + "\" = {\n";
    if (takes_value(option)) {
        out += "\t\t\tvalue = \"$" + variable + "$\"\n";
        if (option.required) out += "\t\t\trequired = true\n";
        if (option.repeatable) out += "\t\t\trepeat_key = true\n";
    } else {
        out += "\t\t\tset_if = \"$" + variable + "$\"\n";
    }
    return out + "\t\t\tdescription = " + quoted(option.help) + "\n\t\t}\n";
}

/// How long the monitor waits: a little longer than the program's own deadline, so that the
/// program's own words are what people see.
std::string monitor_timeout(const std::vector<Option>& options) {
    const Option* timeout = find_option(options, "timeout");
    const auto seconds = timeout == nullptr ? std::nullopt : parse_number(timeout->default_value);
    return seconds ? render_number(*seconds + 5) + "s" : "60s";
}

}  // namespace

std::string render_icinga2(const Program& program) {
    if (!for_monitor(program)) return {};
    const std::vector<Option> options = monitor_options(program);
    const bool check = program.kind == ProgramKind::Check;
    std::string out = "// " + program.brief + "\n";
    out += check ? "object CheckCommand" : "object EventCommand";
    out += " \"" + program.name + "\" {\n";
    out += "\tcommand = [ \"" + path_of(program) + "\" ]\n";
    out += "\ttimeout = " + monitor_timeout(options) + "\n";
    out += "\targuments = {\n";
    for (const Option& option : options) out += icinga_argument(program, option);
    out += "\t}\n";
    for (const Option& option : options)
        if (!option.monitor_macro.empty() && !icinga_macro(option.monitor_macro).empty())
            out += "\tvars." + variable_of(program, option) + " = \"" +
                   icinga_macro(option.monitor_macro) + "\"\n";
    return out + "}\n";
}

std::string render_nagios(const Program& program) {
    if (!for_monitor(program)) return {};
    std::string line = path_of(program);
    int argument = 1;
    const auto next = [&argument] { return "$ARG" + std::to_string(argument++) + "$"; };
    for (const Option& option : monitor_options(program)) {
        if (!option.monitor_macro.empty())
            line += " " + long_option(option) + " '" + option.monitor_macro + "'";
        else if (option.required)
            line += " " + long_option(option) + (takes_value(option) ? " '" + next() + "'" : "");
    }
    // What the table leaves open is written in the object's own check_command.
    line += " " + next();
    return "# " + program.brief + "\ndefine command {\n    command_name    " + program.name +
           "\n    command_line    " + line + "\n}\n";
}

}  // namespace domkeeper
