// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>

#include "lib/app/fencing.hpp"
#include "lib/app/run.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/power_switches.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/secret_file.hpp"
#include "lib/io/subprocess.hpp"

namespace domkeeper {
namespace {

constexpr const char* password_variable = "DOMKEEPER_PASSWORD";

Option seconds(std::string name, std::string value, std::string help) {
    return {.name = std::move(name),
            .type = ValueType::Seconds,
            .help = std::move(help),
            .default_value = std::move(value)};
}

/// What fence_ipmilan and its kin accept on the command line and nothing here has a use for.
Option ignored(std::string name, ValueType type, char letter = 0) {
    return {.name = std::move(name),
            .letter = letter,
            .type = type,
            .help = "Accepted and ignored.",
            .repeatable = true,
            .hidden = true};
}

std::vector<Option> common_rows() {
    return {
        {.name = "action",
         .letter = 'o',
         .type = ValueType::Choice,
         .value_name = "ACTION",
         .help = "What to do.",
         .default_value = "reboot",
         .choices = {"on", "off", "reboot", "status", "monitor", "list", "list-status", "metadata",
                     "manpage", "validate-all"}},
        {.name = "plug",
         .letter = 'n',
         .value_name = "ID",
         .help = "Accepted and not needed: the device has one plug.",
         .aliases = {"port"}},
        {.name = "password",
         .letter = 'p',
         .help = "Password, on standard input only: every user can read a command line.",
         .aliases = {"passwd"},
         .secret = true},
        {.name = "password_file",
         .type = ValueType::File,
         .help = "File with the password in its first line, closed to other users."},
        {.name = "password_script",
         .letter = 'S',
         .type = ValueType::File,
         .help = "Program that prints the password.",
         .aliases = {"passwd_script"}},
        {.name = "method",
         .letter = 'm',
         .type = ValueType::Choice,
         .help = "Accepted for compatibility. A power cycle can't be verified, so cycle too is "
                 "done as off, proof, on.",
         .default_value = "onoff",
         .choices = {"onoff", "cycle"}},
        seconds("delay", "0", "Wait this long before off and reboot."),
        seconds("login_timeout", "5", "Give up a device that has not answered for this long."),
        seconds("power_timeout", "20", "Wait this long for the power to change."),
        seconds("power_wait", "0",
                "Look once more after this time before trusting that it is off."),
        seconds("shell_timeout", "3", "Accepted for compatibility."),
        {.name = "retry_on",
         .type = ValueType::Integer,
         .help = "Try to switch on this often.",
         .default_value = "1"},
        {.name = "json", .type = ValueType::Flag, .help = "Write the outcome as one JSON object."},
        ignored("quiet", ValueType::Flag, 'q'),
        ignored("debug_file", ValueType::Text, 'D'),
        ignored("verbose_level", ValueType::Text),
        ignored("disable_timeout", ValueType::Text),
        ignored("separator", ValueType::Text),
        ignored("plug_separator", ValueType::Text),
        ignored("stonith_status_sleep", ValueType::Text),
        ignored("use_sudo", ValueType::Flag),
        ignored("sudo_path", ValueType::Text),
        ignored("ipmitool_path", ValueType::Text),
        ignored("ipmitool_timeout", ValueType::Text),
    };
}

std::string quoted(const std::string& text) {
    // Printable text has no control bytes left to escape.
    std::string out = "\"";
    for (const char c : printable(text, 1024)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

/// One run of the agent.
class Agent {
  public:
    Agent(const Program& program, const std::vector<std::string>& device_options,
          const Arguments& arguments, Deadline deadline)
        : program_(program),
          arguments_(arguments),
          deadline_(deadline),
          action_(arguments.text("action")),
          scheduler_(RealScheduler::create()) {
        device_.name = arguments.text(arguments.given("ip") ? "ip" : "plug");
        device_.agent = program.name;
        for (const std::string& name : device_options)
            if (arguments.given(name)) device_.options[name] = arguments.text(name);
        device_.options["login_timeout"] = arguments.text("login_timeout");
        switches_ = std::make_unique<RealPowerSwitches>(
            std::map<std::string, std::string>{{device_.name, password()}});
        authority_ = std::make_unique<FencingAuthority>(*switches_, *scheduler_);
    }

    int run() {
        if (action_ == "off") return off();
        if (action_ == "on") return on();
        if (action_ == "reboot") return reboot();
        if (action_ == "status" || action_ == "monitor") return look();
        // Opening checks every option and sends nothing.
        switches_->open(device_);
        if (action_ == "validate-all") return done("valid", "");
        return done("listed", "N/A");
    }

  private:
    Instant now() const { return scheduler_->now().mono; }
    Duration span(const std::string& name) const {
        return arguments_.duration(name).value_or(Duration{0});
    }
    void pause(Duration time) const {
        scheduler_->sleep_until(std::min(now() + time, deadline_.at));
    }

    std::string password() const {
        if (arguments_.given("password")) return arguments_.text("password");
        if (arguments_.given("password_file"))
            return read_secret_file(arguments_.text("password_file"));
        if (arguments_.given("password_script")) return script_output();
        const char* variable = std::getenv(password_variable);
        std::string value = variable != nullptr ? variable : "";
        unsetenv(password_variable);
        return value;
    }

    std::string script_output() const {
        const std::string path = arguments_.text("password_script");
        const CommandResult result =
            run_command({{path}, "", {}}, deadline_.within(now(), span("login_timeout")));
        const std::string name = "password script " + printable(path);
        // What it printed may be the password: not a byte of it is shown.
        if (result.timed_out) throw TimedOut(name + " did not end");
        if (result.exit_code != 0) throw SystemError(name + " failed");
        return result.output.substr(0, result.output.find_first_of("\r\n"));
    }

    FenceOutcome fence() {
        const Duration time = span("power_timeout");
        FenceOutcome out =
            authority_->fence(device_.name, {device_}, deadline_.within(now(), time));
        if (!out.proof || span("power_wait") == Duration::zero()) return out;
        const bool already_off = out.already_off;
        pause(span("power_wait"));
        out = authority_->confirm(device_.name, {device_}, deadline_.within(now(), time));
        out.already_off = already_off;
        return out;
    }

    PowerOutcome power_on() {
        PowerOutcome out;
        const std::int64_t times =
            std::clamp<std::int64_t>(arguments_.integer("retry_on").value_or(1), 1, 10);
        for (std::int64_t i = 0; i < times; ++i) {
            out = authority_->turn_on({device_}, deadline_.within(now(), span("power_timeout")));
            if (out.ok() || out.kind == FailureKind::Login || out.kind == FailureKind::Usage) break;
        }
        return out;
    }

    int off() {
        pause(span("delay"));
        const FenceOutcome out = fence();
        if (!out.proof) return failed(out.kind, out.reason);
        return done("off", out.already_off ? "Success: Already OFF" : "Success: Powered OFF");
    }

    int on() {
        const PowerOutcome out = power_on();
        return out.ok() ? done("on", "Success: Powered ON") : failed(out.kind, out.reason);
    }

    int reboot() {
        pause(span("delay"));
        const FenceOutcome out = fence();
        if (!out.proof) return failed(out.kind, out.reason);
        const PowerOutcome back = power_on();
        if (back.ok()) return done("on", "Success: Rebooted");
        // The host is off, which is what the caller needs to know; that it stays off is a pity.
        if (!arguments_.flag("json"))
            std::fprintf(stderr, "%s: off, but not on again: %s\n", program_.name.c_str(),
                         back.reason.c_str());
        return done("off", "Success: Powered OFF", back.reason);
    }

    int look() {
        const PowerReading out =
            authority_->read(device_, deadline_.within(now(), span("login_timeout")));
        if (!out.ok()) return failed(out.kind, out.reason);
        const bool is_on = out.state == PowerState::On;
        if (action_ == "monitor") return done(is_on ? "on" : "off", "");
        done(is_on ? "on" : "off", is_on ? "Status: ON" : "Status: OFF");
        return is_on ? 0 : 2;
    }

    int done(const std::string& state, const std::string& words, const std::string& note = {}) {
        if (arguments_.flag("json"))
            std::cout << "{\"agent\": " << quoted(program_.name)
                      << ", \"action\": " << quoted(action_)
                      << ", \"ok\": true, \"state\": " << quoted(state)
                      << (note.empty() ? "" : ", \"note\": " + quoted(note)) << "}\n";
        else if (!words.empty())
            std::cout << words << '\n';
        return 0;
    }

    int failed(FailureKind kind, const std::string& reason) {
        if (arguments_.flag("json"))
            std::cout << "{\"agent\": " << quoted(program_.name)
                      << ", \"action\": " << quoted(action_) << ", \"ok\": false, \"kind\": "
                      << quoted(std::string(failure_kind_name(kind)))
                      << ", \"reason\": " << quoted(reason) << "}\n";
        else
            std::fprintf(stderr, "%s: %s\n", program_.name.c_str(), reason.c_str());
        return 1;
    }

    const Program& program_;
    const Arguments& arguments_;
    const Deadline deadline_;
    const std::string action_;
    FenceDevice device_;
    std::shared_ptr<RealScheduler> scheduler_;
    std::unique_ptr<RealPowerSwitches> switches_;
    std::unique_ptr<FencingAuthority> authority_;
};

}  // namespace

int run_power_agent(Program program, int argc, char** argv) {
    std::vector<std::string> device_options;
    for (const Option& option : program.options) device_options.push_back(option.name);
    // A device may have a use of its own for what most only accept.
    const std::vector<Option> own = program.options;
    for (Option& option : common_rows())
        if (std::none_of(own.begin(), own.end(),
                         [&](const Option& one) { return one.name == option.name; }))
            program.options.push_back(std::move(option));
    return run_agent(program, argc, argv, [&](const Arguments& arguments, Deadline deadline) {
        return Agent(program, device_options, arguments, deadline).run();
    });
}

}  // namespace domkeeper
