// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/run.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string_view>
#include <thread>

#include "lib/app/cli_table.hpp"
#include "lib/app/failure_kind.hpp"
#include "lib/app/watchdog.hpp"
#include "lib/core/error.hpp"
#include "lib/core/json.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Past the deadline, for a body that keeps to it to say so in its own words.
constexpr Duration grace{200};
/// More than any agent's options; a reader of stdin must have an end.
constexpr std::size_t input_limit = 64 * 1024;

/// Exit codes of one kind of program, and where it complains.
struct Conventions {
    int failed = 1;
    int usage = 1;
    int text = 0;  ///< after --help and --version
    bool to_stderr = true;
};

Conventions conventions_of(ProgramKind kind) {
    switch (kind) {
        case ProgramKind::Check: return {.failed = 3, .usage = 3, .text = 3, .to_stderr = false};
        case ProgramKind::FenceAgent: return {.failed = 1, .usage = 1, .text = 0};
        case ProgramKind::Handler: return {.failed = 1, .usage = 3, .text = 0, .to_stderr = false};
        case ProgramKind::Tool: return {.failed = 1, .usage = 2, .text = 0};
    }
    return {};
}

/// "check_dom0" -> "DOM0", as plugins call themselves in their output.
std::string check_name(const Program& program) {
    std::string name = program.name;
    if (starts_with(name, "check_")) name.erase(0, 6);
    for (char& c : name)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return name;
}

std::string complaint(const Program& program, const std::string& text) {
    if (program.kind == ProgramKind::Check)
        return check_name(program) + " UNKNOWN - " + printable(text, 1024) + "\n";
    return program.name + ": " + printable(text, 1024) + "\n";
}

/// How the caller of a fence agent wants to hear of a failure.
struct Voice {
    bool json = false;
    std::string action{};  ///< as far as it is known
};

/// The failure of a fence agent as one JSON object.
std::string json_complaint(const Program& program, const Voice& voice, FailureKind kind,
                           const std::string& text) {
    return "{\"agent\": " + render_json_string(program.name) +
           ", \"action\": " + render_json_string(voice.action) +
           ", \"ok\": false, \"kind\": " + render_json_string(failure_kind_name(kind)) +
           ", \"reason\": " + render_json_string(printable(text, 1024)) + "}\n";
}

Watchdog::LastWords last_words(const Program& program, const Voice& voice, Duration timeout) {
    const Conventions conventions = conventions_of(program.kind);
    const std::string text = "no answer within " +
                             render_number(static_cast<double>(timeout.count()) / 1000, 3) +
                             " s (gave up)";
    return {.line = voice.json ? json_complaint(program, voice, FailureKind::TimedOut, text)
                               : complaint(program, text),
            .to_stderr = conventions.to_stderr && !voice.json,
            .exit_code = conventions.failed};
}

/// What a program says at its end, where, and with which exit code.
struct Ending {
    int code = 0;
    std::string text;
    bool to_stderr = false;
};

/// Parsing may find out how failures are to be told, its own ones too.
using Parse = std::function<Parsed(Voice&)>;
using Body = std::function<Ending(const Arguments&, Deadline)>;

Ending complain(const Program& program, const Voice& voice, int code, FailureKind kind,
                const std::string& text) {
    if (voice.json) return {code, json_complaint(program, voice, kind, text), false};
    return {code, complaint(program, text), conventions_of(program.kind).to_stderr};
}

/// Parses and works; whatever either throws ends here.
Ending attempt(const Program& program, Instant start, Watchdog& watchdog, const Parse& parse,
               const Body& body) {
    const Conventions conventions = conventions_of(program.kind);
    Voice voice;
    try {
        const Parsed parsed = parse(voice);
        if (!parsed.arguments)
            return {parsed.generated ? 0 : conventions.text, parsed.output, false};
        const Duration timeout = parsed.arguments->timeout();
        const Instant at = start + timeout;
        watchdog.set(at + grace, last_words(program, voice, timeout));
        return body(*parsed.arguments, Deadline{at});
    } catch (const UsageError& error) {
        return complain(program, voice, conventions.usage, failure_kind_of(error), error.what());
    } catch (const Error& error) {
        return complain(program, voice, conventions.failed, failure_kind_of(error), error.what());
    } catch (const std::exception& error) {
        return complain(program, voice, conventions.failed, FailureKind::System,
                        std::string("internal error: ") + error.what());
    } catch (...) {
        return complain(program, voice, conventions.failed, FailureKind::System,
                        "internal error of no known kind");
    }
}

/// Prints; the exit code is that of a failure when the text did not get out.
int print(const Program& program, const Ending& ending) {
    std::cout.flush();
    std::FILE* stream = ending.to_stderr ? stderr : stdout;
    const bool written = std::fputs(ending.text.c_str(), stream) >= 0;
    const bool flushed = std::fflush(stdout) == 0 && std::fflush(stream) == 0 && std::cout.good();
    return written && flushed ? ending.code : conventions_of(program.kind).failed;
}

int run(const Program& program, const Parse& parse, const Body& body) {
    const Instant start = monotonic_now();
    try {
        // Parsing itself may have to wait, for standard input.
        const Duration timeout = default_timeout(program);
        Watchdog watchdog(start + timeout + grace, last_words(program, {}, timeout));
        const Ending ending = attempt(program, start, watchdog, parse, body);
        // When the watchdog was quicker, it ends the process; a second line would only confuse.
        while (!watchdog.claim(ending.code)) std::this_thread::sleep_for(grace);
        return print(program, ending);
    } catch (const std::exception& error) {
        return print(program, complain(program, {}, conventions_of(program.kind).failed,
                                       FailureKind::System, error.what()));
    }
}

std::vector<std::string> words_of(int argc, char** argv) {
    return argc > 0 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>();
}

/// Takes secrets out of the command line that every user of the machine can read.
void wipe_secrets(const Program& program, const Parsed& parsed, int argc, char** argv) {
    if (!parsed.arguments) return;
    for (const Option& option : program_options(program)) {
        if (!option.secret || !parsed.arguments->given(option.name)) continue;
        const std::string secret = parsed.arguments->text(option.name);
        for (int i = 1; i < argc && !secret.empty(); ++i) {
            const std::size_t at = std::string_view(argv[i]).find(secret);
            if (at != std::string_view::npos) std::fill_n(argv[i] + at, secret.size(), '*');
        }
    }
}

bool wants_json(const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), "--json") != words.end();
}

/// Of the fence agent API's lines on standard input, of which the last one counts.
bool wants_json(const std::string& input) {
    bool wanted = false;
    for (const std::string& row : split(input, '\n')) {
        const std::size_t equals = row.find('=');
        if (trim(std::string_view(row).substr(0, equals)) != "json") continue;
        const std::string value = equals == std::string::npos
                                      ? ""
                                      : lower(trim(std::string_view(row).substr(equals + 1)));
        wanted = value != "0" && value != "no" && value != "off" && value != "false";
    }
    return wanted;
}

/// Throws UsageError when there is more than an agent could ever need.
std::string read_input() {
    std::string input;
    for (char c = 0; std::cin.get(c);) {
        if (input.size() == input_limit)
            throw UsageError("more than 64 KiB of options on standard input");
        input += c;
    }
    return input;
}

}  // namespace

int run_check(const Program& program, int argc, char** argv,
              const std::function<CheckResult(const Arguments&, Deadline)>& body) {
    return run(
        program, [&](Voice&) { return parse_command_line(program, words_of(argc, argv)); },
        [&](const Arguments& arguments, Deadline deadline) {
            const CheckResult result = body(arguments, deadline);
            return Ending{static_cast<int>(overall(result)),
                          render_result(check_name(program), result, arguments.verbosity()), false};
        });
}

int run_tool(const Program& program, int argc, char** argv,
             const std::function<int(const Arguments&)>& body) {
    return run(
        program, [&](Voice&) { return parse_command_line(program, words_of(argc, argv)); },
        [&](const Arguments& arguments, Deadline) {
            return Ending{body(arguments), "", false};
        });
}

int run_handler(const Program& program, int argc, char** argv,
                const std::function<std::string(const Arguments&, Deadline)>& body) {
    return run(
        program, [&](Voice&) { return parse_command_line(program, words_of(argc, argv)); },
        [&](const Arguments& arguments, Deadline deadline) {
            return Ending{
                0, program.name + ": " + printable(body(arguments, deadline), 1024) + "\n", false};
        });
}

int run_agent(const Program& program, int argc, char** argv,
              const std::function<int(const Arguments&, Deadline)>& body) {
    return run(
        program,
        [&](Voice& voice) {
            const std::vector<std::string> words = words_of(argc, argv);
            const std::string input = words.empty() ? read_input() : std::string();
            voice.json = words.empty() ? wants_json(input) : wants_json(words);
            Parsed parsed = words.empty() ? parse_agent_input(program, input)
                                          : parse_command_line(program, words);
            if (parsed.arguments) voice.action = parsed.arguments->text("action");
            wipe_secrets(program, parsed, argc, argv);
            return parsed;
        },
        [&](const Arguments& arguments, Deadline deadline) {
            return Ending{body(arguments, deadline), "", false};
        });
}

}  // namespace domkeeper
