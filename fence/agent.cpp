// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/agent.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <utility>

#include "fence/agent_rows.hpp"
#include "lib/app/fencing.hpp"
#include "lib/app/run.hpp"
#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
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
        action_row(true),
        {.name = "plug",
         .letter = 'n',
         .value_name = "ID",
         .help = "Accepted and not needed: the device has one plug.",
         .aliases = {"port"}},
        {.name = "password",
         .letter = 'p',
         .help =
             "Password. Better on standard input or in a file: for a moment every user can read "
             "it on a command line, until the agent has wiped it out there.",
         .aliases = {"passwd"},
         .secret = true},
        {.name = "plug_separator",
         .value_name = "TEXT",
         .help = "What separates several plugs, and several addresses.",
         .default_value = ","},
        {.name = "separator",
         .value_name = "TEXT",
         .help = "What separates the columns of list.",
         .default_value = ","},
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
        ignored("stonith_status_sleep", ValueType::Text),
        ignored("use_sudo", ValueType::Flag),
        ignored("sudo_path", ValueType::Text),
        ignored("ipmitool_path", ValueType::Text),
        ignored("ipmitool_timeout", ValueType::Text),
        ignored("snmpget_path", ValueType::Text),
        ignored("snmpset_path", ValueType::Text),
        ignored("snmpwalk_path", ValueType::Text),
        ignored("port_as_ip", ValueType::Flag),
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

bool has_row(const Program& program, const std::string& name) {
    return std::any_of(program.options.begin(), program.options.end(),
                       [&](const Option& option) { return option.name == name; });
}

/// Devices of one kind, with one password.
class OwnSwitches final : public PowerSwitches {
  public:
    OwnSwitches(OpenSwitch open, std::string password)
        : open_(std::move(open)), password_(std::move(password)) {}
    ~OwnSwitches() override { explicit_bzero(password_.data(), password_.size()); }
    OwnSwitches(const OwnSwitches&) = delete;
    OwnSwitches& operator=(const OwnSwitches&) = delete;

    std::unique_ptr<PowerSwitch> open(const FenceDevice& device) override {
        return open_(device, password_);
    }

  private:
    OpenSwitch open_;
    std::string password_;
};

/// One run of the agent.
class Agent {
  public:
    Agent(const Program& program, const OpenSwitch& open,
          const std::vector<std::string>& device_options, const Arguments& arguments,
          Deadline deadline)
        : program_(program),
          arguments_(arguments),
          deadline_(deadline),
          action_(arguments.text("action")),
          scheduler_(RealScheduler::create()) {
        FenceDevice device;
        device.agent = program.name;
        for (const std::string& name : device_options)
            if (arguments.given(name)) device.options[name] = arguments.text(name);
        for (const char* name : {"login_timeout", "plug_separator"})
            device.options[name] = arguments.text(name);
        if (arguments.given("snmp_priv_passwd_script"))
            device.options["snmp_priv_passwd"] =
                script_output(arguments.text("snmp_priv_passwd_script"));
        device.options.erase("snmp_priv_passwd_script");
        switches_ = std::make_unique<OwnSwitches>(open, password());
        if (!has_row(program, "ip")) {  // it has no address: what it fences is its name
            device.name = arguments.text("plug");
            devices_.push_back(device);
        } else {
            for (const std::string& address : addresses()) {
                device.name = device.options["ip"] = address;
                devices_.push_back(device);
            }
        }
        authority_ = std::make_unique<FencingAuthority>(*switches_, *scheduler_);
        if (devices_.empty()) throw UsageError("--ip is needed");
        if (arguments.integer("retry_on").value_or(1) < 0)
            throw UsageError("--retry-on: less than never");
    }

    int run() {
        if (action_ == "off") return off();
        if (action_ == "on") return on();
        // What takes no power leaves the host running, and "on" would give its disks back to it.
        const bool ends_host = configured_coverage(devices_[0]).is_everything();
        if (action_ == "reboot") return ends_host ? reboot() : off();
        if (action_ == "status" || action_ == "monitor") return look();
        // Opening checks every option and sends nothing.
        std::vector<std::unique_ptr<PowerSwitch>> opened;
        for (const FenceDevice& device : devices_) opened.push_back(switches_->open(device));
        if (action_ == "validate-all") return done("valid", "");
        return list(opened);
    }

  private:
    Instant now() const { return scheduler_->now().mono; }
    Duration span(const std::string& name) const {
        return arguments_.duration(name).value_or(Duration{0});
    }
    void pause(Duration time) const {
        scheduler_->sleep_until(std::min(now() + time, deadline_.at));
    }

    /// One or several, each with the same plugs.
    std::vector<std::string> addresses() const {
        const std::string text = arguments_.text("ip");
        const std::string separator = arguments_.text("plug_separator");
        if (separator.size() != 1 || text.find(separator) == std::string::npos) return {text};
        std::vector<std::string> all;
        for (const std::string& part : split(text, separator[0])) {
            const std::string address(trim(part));
            if (address.empty() || std::find(all.begin(), all.end(), address) != all.end())
                throw UsageError("--ip: '" + printable(text, 80) +
                                 "' is no list of different addresses");
            all.push_back(address);
        }
        return all;
    }

    std::string password() const {
        if (arguments_.given("password")) return arguments_.text("password");
        if (arguments_.given("password_file"))
            return read_secret_file(arguments_.text("password_file"));
        if (arguments_.given("password_script"))
            return script_output(arguments_.text("password_script"));
        char* const variable = std::getenv(password_variable);
        if (variable == nullptr) return {};
        std::string value = variable;
        // Taken out of /proc/self/environ, too.
        explicit_bzero(variable, value.size());
        unsetenv(password_variable);
        return value;
    }

    std::string script_output(const std::string& path) const {
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
        if (arguments_.flag("soft")) ask_to_end();
        FenceOutcome out = authority_->fence(devices_[0].name, devices_, fence_deadline(time));
        if (!out.off || span("power_wait") == Duration::zero()) return out;
        const bool already_off = out.already_off;
        pause(span("power_wait"));
        out = authority_->confirm(devices_[0].name, devices_, fence_deadline(time));
        out.already_off = already_off;
        return out;
    }

    Deadline fence_deadline(Duration time) const { return deadline_.within(now(), time); }

    /// Lets the operating system end by itself, for a while; what follows does not rely on it.
    void ask_to_end() {
        const Deadline until = deadline_.within(now(), span("soft_timeout"));
        for (const FenceDevice& device : devices_) {
            try {
                switches_->open(device)->command(PowerCommand::Soft,
                                                 until.within(now(), span("login_timeout")));
            } catch (const Error&) {
                return;  // it can't or won't; off does not need it
            }
        }
        while (!until.passed(now())) {
            bool off = true;
            for (const FenceDevice& device : devices_)
                off = off && authority_->read(device, until).state == PowerState::Off;
            if (off) return;
            scheduler_->sleep_until(std::min(now() + Duration{500}, until.at));
        }
    }

    PowerOutcome power_on() {
        PowerOutcome out;
        const std::int64_t times =
            std::clamp<std::int64_t>(arguments_.integer("retry_on").value_or(1), 1, 10);
        for (std::int64_t i = 0; i < times; ++i) {
            out = authority_->turn_on(devices_, deadline_.within(now(), span("power_timeout")));
            if (out.ok() || out.kind == FailureKind::Login || out.kind == FailureKind::Usage ||
                out.kind == FailureKind::NoSuchPlug)
                break;
        }
        return out;
    }

    int off() {
        pause(span("delay"));
        const FenceOutcome out = fence();
        if (!out.off) return failed(out.kind, out.reason);
        return done("off", out.already_off ? "Success: Already OFF" : "Success: Powered OFF");
    }

    int on() {
        const PowerOutcome out = power_on();
        return out.ok() ? done("on", "Success: Powered ON") : failed(out.kind, out.reason);
    }

    int reboot() {
        pause(span("delay"));
        const FenceOutcome out = fence();
        if (!out.off) return failed(out.kind, out.reason);
        const PowerOutcome back = power_on();
        if (back.ok()) return done("on", "Success: Rebooted");
        // The host is off, which is what the caller needs to know; that it stays off is a pity.
        if (!arguments_.flag("json"))
            std::fprintf(stderr, "%s: off, but not on again: %s\n", program_.name.c_str(),
                         back.reason.c_str());
        return done("off", "Success: Powered OFF", back.reason);
    }

    int look() {
        bool is_on = false;
        for (const FenceDevice& device : devices_) {
            const PowerReading out =
                authority_->read(device, deadline_.within(now(), span("login_timeout")));
            if (!out.ok()) return failed(out.kind, out.reason);
            is_on = is_on || out.state != PowerState::Off;
        }
        if (action_ == "monitor") return done(is_on ? "on" : "off", "");
        done(is_on ? "on" : "off", is_on ? "Status: ON" : "Status: OFF");
        return is_on ? 0 : 2;
    }

    /// The plugs, as Pacemaker reads them: "1,web" or, of list-status, "1,web,ON".
    int list(const std::vector<std::unique_ptr<PowerSwitch>>& switches) {
        std::vector<PlugView> plugs;
        for (const auto& each : switches)
            for (PlugView& plug : each->list(deadline_)) plugs.push_back(std::move(plug));
        if (plugs.empty()) return done("listed", "N/A");
        const std::string separator = arguments_.text("separator");
        std::string text;
        for (const PlugView& plug : plugs) {
            std::string name = printable(plug.name, 80);
            for (std::size_t at = 0; (at = name.find(separator, at)) != std::string::npos;)
                name.replace(at, separator.size(), "_");
            text += (text.empty() ? "" : "\n") + plug.plug + separator + name;
            if (action_ != "list-status") continue;
            text += separator + (plug.state == PowerState::On    ? "ON"
                                 : plug.state == PowerState::Off ? "OFF"
                                                                 : "UNKNOWN");
        }
        if (!arguments_.flag("json")) return done("listed", text);
        std::cout << "{\"agent\": " << quoted(program_.name) << ", \"action\": " << quoted(action_)
                  << ", \"ok\": true, \"plugs\": [";
        for (std::size_t i = 0; i < plugs.size(); ++i)
            std::cout << (i == 0 ? "" : ", ") << "{\"plug\": " << quoted(plugs[i].plug)
                      << ", \"name\": " << quoted(plugs[i].name)
                      << ", \"state\": " << quoted(std::string(power_state_name(plugs[i].state)))
                      << "}";
        std::cout << "]}\n";
        return 0;
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
    std::vector<FenceDevice> devices_;
    std::shared_ptr<RealScheduler> scheduler_;
    std::unique_ptr<OwnSwitches> switches_;
    std::unique_ptr<FencingAuthority> authority_;
};

}  // namespace

int run_power_agent(Program program, OpenSwitch open, int argc, char** argv) {
    std::vector<std::string> device_options;
    for (const Option& option : program.options)
        if (option.name != "action") device_options.push_back(option.name);
    for (Option& option : common_rows())
        if (!has_row(program, option.name)) program.options.push_back(std::move(option));
    return run_agent(program, argc, argv, [&](const Arguments& arguments, Deadline deadline) {
        return Agent(program, open, device_options, arguments, deadline).run();
    });
}

}  // namespace domkeeper
