// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/app/cli.hpp"

namespace domkeeper {

/// "password_script" -> "password-script": how a name is compared and shown with dashes.
std::string option_key(std::string_view name);
/// "--password-script"
std::string long_option(const Option& option);
/// "-t, --timeout SECONDS"; without a letter only the long form.
std::string option_forms(const Option& option);
/// The word for an option's value: its own, or one that fits its type.
std::string value_word(const Option& option);
bool takes_value(const Option& option);

/// The program's own rows, then the common ones that it has not defined itself: --help, --version,
/// --verbose, --timeout, of a fence agent --action too, and the hidden --generate.
std::vector<Option> program_options(const Program& program);
/// program_options() with the subcommand's rows in front; a row of the subcommand replaces one
/// of the same name. An unknown command adds nothing.
std::vector<Option> command_options(const Program& program, std::string_view command);
/// Rows of all commands together, one for a name, to parse with before the command is known.
std::vector<Option> union_of_options(const Program& program);

const Subcommand* find_command(const Program& program, std::string_view name);
/// The row with this name or alias, '-' and '_' being equal; null when there is none.
const Option* find_option(const std::vector<Option>& options, std::string_view name);

/// The -t of the program's table, before anything was parsed.
Duration default_timeout(const Program& program);

/// Mistakes in the table itself: two rows with one name or letter, a bad default, a choice
/// without choices, one name with a value here and without one there. Empty: none.
std::vector<std::string> table_mistakes(const Program& program);

/// Why `value` is none for this option, and what would be right; empty when it is one. A secret
/// is not repeated.
std::string value_trouble(const Program& program, const Option& option, const std::string& value);
/// `value` as it is stored, when it is one for this option. Throws UsageError that names the
/// option, what it got (not for a secret) and what would be right.
std::string check_value(const Program& program, const Option& option, const std::string& value);

/// The text for `--generate WHAT`. Throws UsageError for one that this program has not, and
/// SystemError when the table has mistakes.
std::string render_generated(const Program& program, const std::string& what);

/// Collects what was given into Arguments, in order of appearance.
class CommandLine {
  public:
    explicit CommandLine(const Program& program) : program_(program) {}

    /// Throws UsageError for a bad value or a second one where one is allowed.
    void add(const Option& option, const std::string& value);
    /// Like add(), but a later value replaces an earlier one (the rule of the agents' stdin).
    void replace(const Option& option, const std::string& value);
    void remove(const Option& option);
    void set_command(std::string command, std::string argument);
    bool given(const std::string& name) const { return arguments_.given(name); }

    /// Help, version or a generated text when one was asked for; else the arguments with
    /// defaults. Throws UsageError for a required option that is missing.
    Parsed finish();

  private:
    const Program& program_;
    Arguments arguments_;
};

/// `text` broken at spaces into lines of at most `width` columns, all but the first indented.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);
/// The paragraphs of a description: parts between empty lines.
std::vector<std::string> paragraphs(const std::string& text);
std::string render_version(const Program& program);
/// Help of one subcommand alone.
std::string render_command_help(const Program& program, const Subcommand& command);

}  // namespace domkeeper
