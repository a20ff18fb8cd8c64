// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/external_switch.hpp"

#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/subprocess.hpp"

namespace domkeeper {
namespace {

/// Python, a login by ssh, built-in waits: agents of the system take their time.
constexpr Duration usual_time{20'000};
/// For its list of plugs, which is a help and no more.
constexpr Duration list_time{5'000};

void check_program(const std::string& path) {
    if (!is_external_agent(path))
        throw UsageError("\"" + printable(path, 80) + "\" is no fence agent in /usr/sbin");
    struct stat info {};
    if (stat(path.c_str(), &info) != 0)
        throw UsageError("fence agent " + printable(path) + ": " + std::strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw Denied("fence agent " + printable(path) + " could be written by others than root");
}

class ExternalSwitch final : public PowerSwitch {
  public:
    ExternalSwitch(FenceDevice device, std::string password)
        : device_(std::move(device)), password_(std::move(password)) {
        for (const auto& [name, value] : device_.options)
            if (value.find('\n') != std::string::npos)
                throw UsageError("option " + printable(name, 40) + " holds a line end");
        if (password_.find('\n') != std::string::npos)
            throw UsageError("the password holds a line end");
        plug_ = option_of(device_, "plug");
        if (plug_.empty()) plug_ = option_of(device_, "port");
        // fence_apc_snmp switches the first of several and calls that a success.
        const std::vector<std::string> parts = split(plug_, ',');
        if (parts.size() > 1 &&
            std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
                return parse_integer(trim(part)).has_value();
            }))
            throw UsageError(
                "option plug: agents of the system differ in what they do with several; "
                "give each outlet a device of its own, and name them in one level");
    }
    ~ExternalSwitch() override { explicit_bzero(password_.data(), password_.size()); }
    ExternalSwitch(const ExternalSwitch&) = delete;
    ExternalSwitch& operator=(const ExternalSwitch&) = delete;

    PowerState read(Deadline deadline) override {
        const CommandResult result = run("status", deadline);
        if (result.exit_code == 0) {
            plug_known_ = true;
            return PowerState::On;
        }
        if (result.exit_code == 2) {
            if (!plug_known_) look_for_plug(deadline);
            plug_known_ = true;
            return PowerState::Off;
        }
        throw ProtocolError("status failed: " + words(result));
    }

    void command(PowerCommand command, Deadline deadline) override {
        if (command != PowerCommand::On && command != PowerCommand::Off)
            throw UsageError("an agent of the system is asked for on and off alone");
        const CommandResult result = run(command == PowerCommand::On ? "on" : "off", deadline);
        if (result.exit_code != 0) throw ProtocolError("it failed: " + words(result));
    }

    Coverage coverage() const override { return configured_coverage(device_); }
    Duration call_time() const override { return usual_time; }

  private:
    CommandResult run(const std::string& action, Deadline deadline) const {
        Command command{{device_.agent}, "action=" + action + "\n", {}};
        for (const auto& [name, value] : device_.options)
            if (name != "timeout" && name != "disks") command.input += name + "=" + value + "\n";
        if (!password_.empty()) command.input += "password=" + password_ + "\n";
        const CommandResult result = run_command(command, deadline);
        explicit_bzero(command.input.data(), command.input.size());
        if (result.timed_out) throw TimedOut(action + ": the agent did not end");
        return result;
    }

    /// Some agents (fence_apc_snmp) call a plug that does not exist off. One that was never seen on
    /// must be in the agent's list of plugs, where it has one. Throws NoSuchPlug.
    void look_for_plug(Deadline deadline) const {
        if (plug_.empty()) return;
        CommandResult result;
        try {
            result = run("list", deadline.within(mono_now(), list_time));
        } catch (const TimedOut&) {
            return;  // it may not know how to list
        }
        if (result.exit_code != 0) return;
        bool any = false;
        for (const std::string& line : split(result.output, '\n')) {
            const std::vector<std::string> columns = split(line, ',');
            if (columns.size() < 2) continue;
            any = true;
            const std::string_view plug = trim(columns[0]);
            // Of strips in a chain, "2:7".
            if (plug == plug_ || trim(columns[1]) == plug_ ||
                plug.substr(plug.find_last_of(":.") + 1) == plug_ ||
                plug_.substr(plug_.find_last_of(":.") + 1) == plug)
                return;
        }
        if (any)
            throw NoSuchPlug("the agent calls plug " + printable(plug_, 40) +
                             " off, which is not in its list of plugs");
    }

    /// The last line of what it said, without the secret.
    std::string words(const CommandResult& result) const {
        std::string said(trim(result.output));
        said.erase(0, said.find_last_of('\n') + 1);
        for (std::size_t at = 0; !password_.empty();) {
            at = said.find(password_, at);
            if (at == std::string::npos) break;
            said.replace(at, password_.size(), "***");
        }
        const std::string code = result.signal != 0 ? "signal " + std::to_string(result.signal)
                                                    : "exit " + std::to_string(result.exit_code);
        return code + (said.empty() ? "" : ", " + printable(said, 160));
    }

    FenceDevice device_;
    std::string password_;
    std::string plug_;         ///< empty: the device has but one
    bool plug_known_ = false;  ///< it was on once, or is in the list
};

}  // namespace

std::unique_ptr<PowerSwitch> open_external_switch(const FenceDevice& device, std::string password) {
    check_program(device.agent);
    return std::make_unique<ExternalSwitch>(device, std::move(password));
}

}  // namespace domkeeper
