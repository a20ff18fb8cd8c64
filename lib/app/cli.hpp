// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/range.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// How the text of an option is checked when it is parsed. Seconds is a bare number ("2.5"),
/// TimeSpan has a unit ("400ms", "2h").
enum class ValueType { Flag, Text, Integer, Number, Seconds, TimeSpan, Bytes, Range, File, Choice };

/// One row of a program's option table. From it come parsing, --help, the man page, completion,
/// fence metadata and the Icinga 2 and Nagios command definitions.
struct Option {
    std::string name{};  ///< long name without dashes
    char letter = 0;     ///< 0: none
    ValueType type = ValueType::Text;
    std::string value_name{};  ///< "SECONDS" in help; empty for a flag
    std::string help{};        ///< one sentence
    std::string default_value{};
    bool required = false;
    bool repeatable = false;
    std::vector<std::string> choices{};  ///< of a Choice
    std::vector<std::string> aliases{};  ///< old or second names ("port" for "plug")
    /// Never echoed, never in generated command lines and refused in argv, which every user of the
    /// machine can read: a secret comes by stdin or from a file. A fence agent takes it in argv,
    /// too, since old scripts give it so, and wipes it out there at once.
    bool secret = false;
    /// What the monitor fills in, in Nagios's spelling ("$HOSTNAME$"); Icinga's is made from it.
    std::string monitor_macro{};
    bool hidden = false;  ///< parsed, but shown nowhere
};

/// A subcommand of a program that has some (domkeeper).
struct Subcommand {
    std::string name{};
    std::string argument{};  ///< "HOST", "N"; empty: takes none; "[N]": may be left out
    std::string help{};
    std::vector<Option>
        options{};  ///< one of a common name (timeout) replaces that for this command
};

enum class ProgramKind { Check, FenceAgent, Handler, Tool };

struct Program {
    std::string name{};  ///< "check_domu"
    ProgramKind kind = ProgramKind::Check;
    std::string brief{};        ///< one line
    std::string description{};  ///< paragraphs for the man page, plain text
    /// Its own; the common ones are added where they are not among them: -h -V -v and -t (default
    /// 10 s, of a fence agent 50 s, of a tool 30 s), and of a fence agent --action.
    std::vector<Option> options{};
    std::vector<Subcommand> commands{};   ///< of a Tool
    std::vector<std::string> examples{};  ///< "command line\texplanation"
    /// Of a fence agent: "on" works on the host itself alone, which does it whenever it joins.
    bool on_at_target = false;
};

/// What was given, checked against the table.
class Arguments {
  public:
    bool given(const std::string& name) const;
    /// The value or its default; empty text when there is neither.
    std::string text(const std::string& name) const;
    std::vector<std::string> all(const std::string& name) const;
    bool flag(const std::string& name) const { return given(name); }
    std::optional<std::int64_t> integer(const std::string& name) const;
    std::optional<double> number(const std::string& name) const;
    std::optional<Duration> duration(const std::string& name) const;  ///< Seconds and TimeSpan
    std::optional<Bytes> bytes(const std::string& name) const;
    std::optional<Range> range(const std::string& name) const;

    const std::string& command() const { return command_; }    ///< of a Tool
    const std::string& argument() const { return argument_; }  ///< the subcommand's; may be empty
    int verbosity() const;
    Duration timeout() const;  ///< of -t, or its default

  private:
    friend class CommandLine;
    std::map<std::string, std::vector<std::string>> values_;
    std::map<std::string, std::string> defaults_;
    std::string command_;
    std::string argument_;
};

/// What to do after parsing: run with arguments, or print a text and leave.
struct Parsed {
    std::optional<Arguments> arguments;
    std::string output;      ///< help, version or a generated text
    bool generated = false;  ///< `output` is for other programs: success, also of a check
};

/// Parses `argv` without the program's name; no abbreviations are guessed. Options may stand before
/// and after a command. Throws UsageError that names the option, what it got and what would be
/// right.
Parsed parse_command_line(const Program& program, const std::vector<std::string>& argv);

/// name=value lines of the fence agent API (stdin): '#' comments, last wins, unknown names are
/// ignored, '-' equals '_'. Throws UsageError for a bad value.
Parsed parse_agent_input(const Program& program, const std::string& input);

/// Texts made from the table; for another kind of program than the one named, an empty text. The
/// monitors' texts name folders as @plugindir@ and @handlerdir@, which the makefile fills in.
std::string render_help(const Program& program);
std::string render_man_page(const Program& program);
std::string render_completion(const Program& program);      ///< bash
std::string render_icinga2(const Program& program);         ///< CheckCommand or EventCommand
std::string render_nagios(const Program& program);          ///< define command { ... }
std::string render_agent_metadata(const Program& program);  ///< fence agent API XML

}  // namespace domkeeper
