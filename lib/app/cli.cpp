// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cli.hpp"

#include <algorithm>
#include <boost/program_options/cmdline.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/option.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <map>

#include "lib/app/cli_table.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

namespace po = boost::program_options;

/// Every spelling of an option that is understood in argv.
std::vector<std::string> spellings(const Program& program, const Option& option) {
    std::vector<std::string> names = option.aliases;
    names.insert(names.begin(), option.name);
    std::vector<std::string> out;
    for (const std::string& name : names) {
        out.push_back(option_key(name));
        if (program.kind == ProgramKind::FenceAgent && name != out.back()) out.push_back(name);
    }
    return out;
}

po::options_description describe(const Program& program, const std::vector<Option>& options) {
    po::options_description description;
    for (const Option& option : options) {
        bool first = true;
        for (std::string name : spellings(program, option)) {
            if (first && option.letter != 0) name += std::string(",") + option.letter;
            first = false;
            if (takes_value(option))
                description.add_options()(name.c_str(), po::value<std::string>());
            else
                description.add_options()(name.c_str(), new po::untyped_value(true));
        }
    }
    return description;
}

/// Every spelling of an option with a value, as it stands in argv by itself.
std::map<std::string, const Option*> valued_options(const Program& program,
                                                    const std::vector<Option>& options) {
    std::map<std::string, const Option*> out;
    for (const Option& option : options) {
        if (!takes_value(option)) continue;
        if (option.letter != 0) out.emplace(std::string("-") + option.letter, &option);
        for (const std::string& name : spellings(program, option))
            out.emplace("--" + name, &option);
    }
    return out;
}

/// What follows an option is its value whatever it looks like ("--output" "-h"), as with getopt:
/// text from a monitor may begin with anything. So such pairs are taken here, which is also far
/// cheaper with a hundred targets; Boost gets what stands between them.
std::vector<po::option> tokenize(const Program& program, const std::vector<Option>& options,
                                 const std::vector<std::string>& argv) {
    const auto valued = valued_options(program, options);
    const po::options_description description = describe(program, options);
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    std::vector<po::option> out;
    std::vector<std::string> others;
    const auto take_others = [&] {
        if (others.empty()) return;
        // Boost's exceptions are turned into this project's family here, at the border.
        try {
            for (po::option& token : po::command_line_parser(others)
                                         .options(description)
                                         .style(style)
                                         .allow_unregistered()
                                         .run()
                                         .options)
                out.push_back(std::move(token));
        } catch (const po::error& error) {
            throw UsageError(printable(error.what(), 200));
        }
        others.clear();
    };
    for (std::size_t i = 0; i < argv.size(); ++i) {
        if (argv[i] == "--") {
            others.insert(others.end(), argv.begin() + static_cast<std::ptrdiff_t>(i), argv.end());
            break;
        }
        const auto option = valued.find(argv[i]);
        if (option == valued.end() || i + 1 == argv.size()) {
            others.push_back(argv[i]);
            continue;
        }
        take_others();
        po::option& pair = out.emplace_back();
        pair.string_key = starts_with(argv[i], "--") ? argv[i].substr(2) : option->second->name;
        pair.value.push_back(argv[++i]);
    }
    take_others();
    return out;
}

/// Throws for an option that the table has not, or not for this command.
[[noreturn]] void refuse_option(const Program& program, const std::string& token,
                                const std::vector<Option>& options) {
    const std::string typed = token.substr(0, token.find('='));
    std::vector<std::string> names;
    for (const Option& option : options)
        if (!option.hidden)
            for (const std::string& name : spellings(program, option)) names.push_back("--" + name);
    const auto near = starts_with(typed, "--") ? closest(typed, names) : std::nullopt;
    throw UsageError("unknown option " + printable(typed, 40) +
                     (near ? " (meant " + *near + "?)" : "") + "; --help lists them");
}

/// Splits what stands alone into the command and its argument.
void take_command(const Program& program, const std::vector<std::string>& words, bool asks_only,
                  CommandLine& line) {
    std::vector<std::string> names;
    for (const Subcommand& command : program.commands) names.push_back(command.name);
    if (names.empty() && !words.empty())
        throw UsageError("unexpected argument '" + printable(words[0], 40) + "'");
    if (names.empty()) return;
    if (words.empty()) {
        if (asks_only) return;
        throw UsageError("a command is needed: " + join(names, ", "));
    }
    const Subcommand* command = find_command(program, words[0]);
    if (command == nullptr) {
        const auto near = closest(words[0], names);
        throw UsageError("unknown command '" + printable(words[0], 40) + "'" +
                         (near ? " (meant " + *near + "?)" : ", there are " + join(names, ", ")));
    }
    const std::size_t most = command->argument.empty() ? 1 : 2;
    if (words.size() > most)
        throw UsageError(command->name + ": unexpected argument '" + printable(words[most], 40) +
                         "'");
    const bool optional = starts_with(command->argument, "[");
    if (words.size() < most && !optional && !asks_only)
        throw UsageError(command->name + ": " + command->argument + " is needed");
    line.set_command(command->name, words.size() > 1 ? words[1] : std::string());
}

/// A flag on a fence agent's stdin. Throws UsageError for any other word.
bool parse_switch(const Option& option, const std::string& value) {
    const std::string word = lower(value);
    for (const char* yes : {"1", "yes", "on", "true"})
        if (word == yes) return true;
    for (const char* no : {"0", "no", "off", "false", ""})
        if (word == no) return false;
    throw UsageError(long_option(option) + ": '" + printable(value, 40) +
                     "' is neither 1, yes, on, true nor 0, no, off, false");
}

}  // namespace

Parsed parse_command_line(const Program& program, const std::vector<std::string>& argv) {
    const std::vector<Option> all = union_of_options(program);
    CommandLine line(program);
    std::vector<std::string> words;
    std::vector<po::option> given;
    for (const po::option& token : tokenize(program, all, argv)) {
        if (token.unregistered) refuse_option(program, token.original_tokens.at(0), all);
        if (token.string_key.empty())
            words.insert(words.end(), token.value.begin(), token.value.end());
        else
            given.push_back(token);
    }
    // The command decides which of two options of one name is meant, so it comes first.
    const std::vector<Option> common = program_options(program);
    const bool only = std::any_of(given.begin(), given.end(), [&](const po::option& token) {
        const Option* option = find_option(common, token.string_key);
        return option != nullptr &&
               (option->name == "help" || option->name == "version" || option->name == "generate");
    });
    take_command(program, words, only, line);
    const std::vector<Option> options = command_options(program, words.empty() ? "" : words[0]);
    for (const po::option& token : given) {
        const Option* option = find_option(options, token.string_key);
        if (option == nullptr)
            throw UsageError("--" + option_key(token.string_key) +
                             (words.empty() ? " needs a command" : " is no option of " + words[0]));
        // Pacemaker's tools and old scripts give it so; the agent wipes it out (run_agent).
        if (option->secret && program.kind != ProgramKind::FenceAgent)
            throw UsageError(long_option(*option) +
                             ": every user can read a command line; give it on standard input or "
                             "in a file");
        line.add(*option, token.value.empty() ? std::string() : token.value[0]);
    }
    return line.finish();
}

Parsed parse_agent_input(const Program& program, const std::string& input) {
    const std::vector<Option> options = program_options(program);
    CommandLine line(program);
    for (const std::string& row : split(input, '\n')) {
        std::string_view text = row;
        if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
        if (trim(text).empty() || trim(text).front() == '#') continue;
        const std::size_t equals = text.find('=');
        const Option* option = find_option(options, trim(text.substr(0, equals)));
        if (option == nullptr || option->hidden) continue;
        std::string value;
        if (equals != std::string_view::npos) value = text.substr(equals + 1);
        // Spaces around a word or number mean nothing; in a password they may.
        if (option->type != ValueType::Text) value = trim(value);
        if (takes_value(*option))
            line.replace(*option, value);
        else if (parse_switch(*option, value))
            line.replace(*option, "");
        else
            line.remove(*option);
    }
    return line.finish();
}

}  // namespace domkeeper
