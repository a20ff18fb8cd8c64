// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cli_table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string names_of(const Option& option) {
    std::string out = long_option(option);
    if (option.letter != 0) out += std::string("|-") + option.letter;
    return out;
}

std::string option_words(const std::vector<Option>& options) {
    std::vector<std::string> words;
    for (const Option& option : options)
        if (!option.hidden && !option.secret) words.push_back(long_option(option));
    return join(words, " ");
}

/// What follows an option that takes a value, a branch of `case $prev` each.
std::string value_branches(const std::vector<Option>& options) {
    std::string files;
    std::string others;
    std::string out;
    for (const Option& option : options) {
        if (option.hidden || option.secret || !takes_value(option)) continue;
        if (option.type == ValueType::Choice)
            out += "        " + names_of(option) +
                   ")\n            mapfile -t COMPREPLY < <(compgen -W '" +
                   join(option.choices, " ") + "' -- \"$cur\")\n            return ;;\n";
        else
            (option.type == ValueType::File ? files : others) +=
                (option.type == ValueType::File ? (files.empty() ? "" : "|")
                                                : (others.empty() ? "" : "|")) +
                names_of(option);
    }
    if (!files.empty())
        out += "        " + files +
               ")\n            compopt -o filenames 2>/dev/null\n"
               "            mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
               "            return ;;\n";
    if (!others.empty()) out += "        " + others + ")\n            return ;;\n";
    return out;
}

/// Finds the command word, so that after it the command's own options are offered.
std::string command_part(const Program& program) {
    std::string valued;
    for (const Option& option : union_of_options(program))
        if (takes_value(option) && !option.hidden)
            valued += (valued.empty() ? "" : "|") + names_of(option);
    std::string names;
    for (const Subcommand& command : program.commands)
        names += (names.empty() ? "" : " ") + command.name;
    std::string out =
        "    local i command=''\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in\n"
        "            " +
        valued +
        ") ((i++)) ;;\n"
        "            -*) ;;\n"
        "            *) command=${COMP_WORDS[i]}; break ;;\n"
        "        esac\n"
        "    done\n"
        "    case $command in\n"
        "        '') words+=' " +
        names + "' ;;\n";
    for (const Subcommand& command : program.commands)
        if (!command.options.empty())
            out += "        " + command.name + ") words+=' " + option_words(command.options) +
                   "' ;;\n";
    return out + "    esac\n";
}

}  // namespace

std::string render_completion(const Program& program) {
    const std::string function = "_domkeeper_" + program.name;
    std::string out = "# bash completion for " + program.name +
                      ", made from its option table      -*- shell-script -*-\n\n" + function +
                      "() {\n"
                      "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                      "    local words='" +
                      option_words(program_options(program)) +
                      "'\n"
                      "    COMPREPLY=()\n"
                      "    case $prev in\n" +
                      value_branches(union_of_options(program)) + "    esac\n";
    if (!program.commands.empty()) out += command_part(program);
    return out + "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n" +
           "complete -F " + function + " " + program.name + "\n";
}

}  // namespace domkeeper
