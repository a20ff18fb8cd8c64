// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/app/cli_table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

/// Names on stdin are written with '_' (FenceAgentAPI.md; '-' is understood too).
std::string parameter_name(const std::string& name) {
    std::string out = name;
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

/// Types of the RELAX NG schema of fence-agents: boolean, string, second, integer, select.
std::string content_type(ValueType type) {
    switch (type) {
        case ValueType::Flag: return "boolean";
        case ValueType::Integer: return "integer";
        case ValueType::Seconds: return "second";
        case ValueType::Choice: return "select";
        case ValueType::Text:
        case ValueType::Number:
        case ValueType::TimeSpan:
        case ValueType::Bytes:
        case ValueType::Range:
        case ValueType::File: return "string";
    }
    return "string";
}

std::string parameter(const Option& option, const std::string& name, bool alias) {
    // Pacemaker itself gives the action; the reference agents mark it as required all the same.
    const bool action = option.name == "action";
    std::string out = "\t<parameter name=\"" + xml(parameter_name(name)) +
                      "\" unique=\"0\" required=\"" + (option.required || action ? "1" : "0") +
                      "\"";
    if (alias) out += " deprecated=\"1\"";
    if (!alias && !option.aliases.empty())
        out += " obsoletes=\"" + xml(parameter_name(option.aliases[0])) + "\"";
    out += ">\n\t\t<getopt mixed=\"";
    if (option.letter != 0) out += std::string("-") + option.letter + ", ";
    out += xml("--" + option_key(alias ? name : option.name));
    if (takes_value(option)) out += xml("=[" + option_key(option.name) + "]");
    out += "\" />\n\t\t<content type=\"" + (action ? "string" : content_type(option.type)) + "\"";
    if (!option.default_value.empty()) out += " default=\"" + xml(option.default_value) + "\"";
    if (option.type == ValueType::Choice && !action) {
        out += ">\n";
        for (const std::string& choice : option.choices)
            out += "\t\t\t<option value=\"" + xml(choice) + "\" />\n";
        out += "\t\t</content>\n";
    } else {
        out += " />\n";
    }
    return out + "\t\t<shortdesc lang=\"en\">" + xml(option.help) +
           "</shortdesc>\n\t</parameter>\n";
}

}  // namespace

std::string render_agent_metadata(const Program& program) {
    if (program.kind != ProgramKind::FenceAgent) return {};
    const std::vector<Option> options = program_options(program);
    std::string out = "<?xml version=\"1.0\" ?>\n<resource-agent name=\"" + xml(program.name) +
                      "\" shortdesc=\"" + xml(program.brief) + "\" >\n";
    out += "<longdesc>" + xml(program.description.empty() ? program.brief : program.description) +
           "</longdesc>\n<vendor-url></vendor-url>\n<parameters>\n";
    for (const Option& option : options) {
        if (option.hidden || option.name == "help" || option.name == "version") continue;
        out += parameter(option, option.name, false);
        for (const std::string& alias : option.aliases) out += parameter(option, alias, true);
    }
    out += "</parameters>\n<actions>\n";
    const std::string unfencing =
        program.on_at_target ? " on_target=\"1\" automatic=\"1\"" : " automatic=\"0\"";
    if (const Option* action = find_option(options, "action"))
        for (const std::string& choice : action->choices)
            out += "\t<action name=\"" + xml(choice) + "\"" + (choice == "on" ? unfencing : "") +
                   " />\n";
    return out + "</actions>\n</resource-agent>\n";
}

}  // namespace domkeeper
