// SPDX-License-Identifier: GPL-3.0-or-later
// A program of each kind, to test what the frame does for all of them. The first word of the
// command line chooses the kind.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "lib/app/run.hpp"
#include "lib/core/error.hpp"

namespace {

using namespace domkeeper;

Option trouble() {
    return {.name = "trouble",
            .type = ValueType::Choice,
            .help = "What goes wrong.",
            .choices = {"usage", "unreachable", "internal", "odd", "hang", "late"}};
}

void sleep_long() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void make_trouble(const Arguments& arguments) {
    const std::string kind = arguments.text("trouble");
    if (kind == "usage") throw UsageError("cluster file: line 7: no such key");
    if (kind == "unreachable") throw Unreachable("10.0.0.1:623: nobody\nanswers | there");
    if (kind == "internal") throw std::runtime_error("vector::_M_range_check");
    if (kind == "odd") throw 42;
    if (kind == "late") std::atexit(sleep_long);
    if (kind == "hang") sleep_long();
}

Program check_table() {
    return {.name = "check_sample",
            .kind = ProgramKind::Check,
            .brief = "Check a sample, & nothing <else>.",
            .description =
                "Looks at a sample.\n\nA second paragraph, with a \\ and\n.a dot.\n\n    code -x",
            .options = {{.name = "host",
                         .letter = 'H',
                         .value_name = "NAME",
                         .help = "The host, as the \"cluster file\" names it.",
                         .monitor_macro = "$HOSTNAME$"},
                        {.name = "domain", .help = "A domain.", .repeatable = true},
                        {.name = "config",
                         .letter = 'C',
                         .type = ValueType::File,
                         .help = "The cluster file."},
                        {.name = "warning",
                         .letter = 'w',
                         .type = ValueType::Range,
                         .help = "Warn when the value leaves this range; costs $1."},
                        {.name = "fast", .type = ValueType::Flag, .help = "Be fast."},
                        trouble()},
            .examples = {"check_sample --host xen1\tIs it well?"}};
}

Program agent_table() {
    return {
        .name = "fence_sample",
        .kind = ProgramKind::FenceAgent,
        .brief = "Fence a \"sample\" & <more>.",
        .options = {{.name = "ip", .letter = 'a', .help = "Address.", .aliases = {"ipaddr"}},
                    {.name = "ipport",
                     .letter = 'u',
                     .type = ValueType::Integer,
                     .help = "Port.",
                     .default_value = "623"},
                    {.name = "password",
                     .letter = 'p',
                     .help = "Secret.",
                     .aliases = {"passwd"},
                     .secret = true},
                    {.name = "privlvl",
                     .type = ValueType::Choice,
                     .help = "Level.",
                     .default_value = "admin",
                     .choices = {"user", "operator", "admin"}},
                    {.name = "lanplus", .letter = 'P', .type = ValueType::Flag, .help = "Encrypt."},
                    trouble()}};
}

Program handler_table() {
    return {.name = "handle_sample",
            .kind = ProgramKind::Handler,
            .brief = "Handle a sample.",
            .options = {{.name = "host",
                         .value_name = "NAME",
                         .help = "The host.",
                         .required = true,
                         .monitor_macro = "$HOSTNAME$"},
                        {.name = "state",
                         .type = ValueType::Choice,
                         .help = "Its state.",
                         .required = true,
                         .choices = {"UP", "DOWN", "UNREACHABLE"},
                         .monitor_macro = "$HOSTSTATE$"},
                        {.name = "output", .help = "Words.", .monitor_macro = "$HOSTOUTPUT$"},
                        trouble()}};
}

Program tool_table() {
    return {.name = "sample",
            .kind = ProgramKind::Tool,
            .brief = "Do things to samples.",
            .options = {{.name = "config",
                         .letter = 'C',
                         .type = ValueType::File,
                         .help = "The cluster file."},
                        {.name = "json", .type = ValueType::Flag, .help = "Write JSON."},
                        trouble()},
            .commands = {{.name = "status", .help = "Show what is."},
                         {.name = "recover",
                          .argument = "HOST",
                          .help = "Recover a host.",
                          .options = {{.name = "reason", .help = "Why."},
                                      {.name = "timeout",
                                       .letter = 't',
                                       .type = ValueType::Seconds,
                                       .help = "End after this time.",
                                       .default_value = "600"}}}}};
}

CheckResult check(const Arguments& arguments, Deadline) {
    make_trouble(arguments);
    CheckResult result;
    result.summary = "sample " + arguments.text("host") + " is well";
    result.perfdata.push_back({"value", 5, "s", {arguments.range("warning"), {}}, 0, {}});
    result.status = result.perfdata[0].threshold.judge(5);
    for (const std::string& name : arguments.all("domain")) {
        CheckResult part;
        part.summary = name;
        result.parts.push_back(part);
    }
    return result;
}

int fence(const Arguments& arguments, Deadline) {
    make_trouble(arguments);
    std::cout << arguments.text("action") << " " << arguments.text("ip") << ":"
              << arguments.text("ipport") << "\n";
    return arguments.text("action") == "status" ? 2 : 0;
}

std::string handle(const Arguments& arguments, Deadline) {
    make_trouble(arguments);
    return arguments.text("host") + " is " + arguments.text("state") + ": " +
           arguments.text("output");
}

int use(const Arguments& arguments) {
    make_trouble(arguments);
    std::cout << arguments.command() << " " << arguments.argument() << "\n";
    return arguments.command() == "status" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string kind = argc > 1 ? argv[1] : "";
    --argc;
    ++argv;
    if (kind == "check") return run_check(check_table(), argc, argv, check);
    if (kind == "agent") return run_agent(agent_table(), argc, argv, fence);
    if (kind == "handler") return run_handler(handler_table(), argc, argv, handle);
    if (kind == "tool") return run_tool(tool_table(), argc, argv, use);
    std::cerr << "sample: check, agent, handler or tool\n";
    return 99;
}
