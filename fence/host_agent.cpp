// SPDX-License-Identifier: GPL-3.0-or-later
#include "fence/host_agent.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>

#include "eventhandlers/worker.hpp"
#include "lib/app/fencing.hpp"
#include "lib/app/run.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/error.hpp"
#include "lib/core/json.hpp"
#include "lib/core/text.hpp"
#include "lib/io/power_switches.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"
#include "lib/io/user.hpp"

namespace domkeeper {
namespace {

constexpr Duration read_time{5'000};
/// To take a mistake back before the operator's word is on record.
constexpr Duration second_thoughts{5'000};

struct End {
    FailureKind kind = FailureKind::None;
    std::string state;   ///< "off", "on", "cut off", "valid", "listed"
    std::string text;    ///< for people: the outcome, or the reason of the failure
    std::string detail;  ///< the evidence
    int code = 0;
};

class HostAgent {
  public:
    HostAgent(const Arguments& arguments, Deadline deadline)
        : arguments_(arguments),
          deadline_(deadline),
          action_(arguments.text("action")),
          inventory_(load_inventory(config_path(arguments.text("config")))),
          scheduler_(RealScheduler::create()),
          authority_(switches_, *scheduler_) {}

    int run() {
        if (arguments_.integer("retry").value_or(1) < 1)
            throw UsageError("--retry: less than once");
        if (arguments_.flag("confirm_off")) return show(confirm());
        if (action_ == "list" || action_ == "list-status") return show(list());
        if (action_ == "monitor") return show(monitor());
        if (action_ == "validate-all") return show(validate());
        const Host& host = this->host();
        if (action_ == "status") return show(status(host));
        if (host.fence.empty())
            throw UsageError("host " + host.name + " has no fence device in the cluster file");
        if (action_ == "on") return show(noted(host, "on", [&] { return on(host); }));
        scheduler_->sleep_until(
            std::min(now() + arguments_.duration("delay").value_or(Duration{0}), deadline_.at));
        const End end = noted(host, "off", [&] { return off(host); });
        if (action_ == "off" || end.kind != FailureKind::None) return show(end);
        // A host that was only cut off from its disks runs on: "on" would give them back to it.
        if (end.state != "off")
            return show({FailureKind::None, end.state,
                         end.text + "; it runs on, so it is not let in again", end.detail});
        const End back = noted(host, "on", [&] { return on(host); });
        if (back.kind == FailureKind::None)
            return show({FailureKind::None, "on", "Success: Rebooted", back.detail});
        // It is off, which is what the caller needs to know.
        return show({FailureKind::None, end.state, end.text + ", but not on again: " + back.text,
                     end.detail});
    }

  private:
    Instant now() const { return scheduler_->now().mono; }

    const Host& host() const {
        const std::string name = arguments_.text("plug");
        if (name.empty()) throw UsageError("--plug is needed: the name of the host");
        if (const Host* found = inventory_.find_host(name)) return *found;
        std::vector<std::string> known;
        for (const Host& each : inventory_.hosts) known.push_back(each.name);
        const auto near = closest(name, known);
        throw NoSuchPlug("no host '" + printable(name, 80) + "' is in the cluster file" +
                         (near ? "; is " + *near + " meant?" : ""));
    }

    std::vector<FenceDevice> devices_of(const FenceLevel& level) const {
        std::vector<FenceDevice> devices;
        for (const std::string& name : level) devices.push_back(*inventory_.find_device(name));
        return devices;
    }

    /// Writes to the journal before and after; nothing is switched that could not be written down.
    template <typename Act>
    End noted(const Host& host, const std::string& what, const Act& act) {
        const std::string reason = printable(trim(arguments_.text("reason")), 512);
        note(host, EntryKind::Intent, true,
             "fence_host, " + what + " by " + user_name() + (reason.empty() ? "" : ": " + reason));
        End end = act();
        const bool ok = end.kind == FailureKind::None;
        note(host, EntryKind::Outcome, ok, ok ? end.detail : end.text);
        return end;
    }

    void note(const Host& host, EntryKind kind, bool ok, const std::string& text) {
        try {
            if (!journal_) journal_ = std::make_unique<SqliteJournal>(inventory_.state_dir);
            journal_->append({{0,
                               scheduler_->now().wall,
                               kind,
                               StepKind::Fence,
                               host.name,
                               {},
                               {},
                               ok,
                               printable(text, 512)}});
        } catch (const Error& error) {
            // What has been done is done, and must not be called a failure.
            if (kind == EntryKind::Intent && !arguments_.flag("no_journal"))
                throw SystemError(
                    std::string("the journal can't be written, so nothing was done: ") +
                    error.what() + "; --no-journal goes on all the same");
            std::cerr << "fence_host: not in the journal: " << error.what() << "\n";
        }
    }

    void wait_for(const std::vector<FenceDevice>& level) {
        Duration longest{0};
        for (const FenceDevice& device : level)
            if (const auto delay = device.options.find("delay"); delay != device.options.end())
                longest =
                    std::max(longest, parse_duration(delay->second)
                                          .value_or(Duration{static_cast<Duration::rep>(
                                              parse_number(delay->second).value_or(0) * 1000)}));
        scheduler_->sleep_until(std::min(now() + longest, deadline_.at));
    }

    End off(const Host& host) {
        std::vector<std::string> failures;
        FailureKind kind = FailureKind::None;
        const std::int64_t rounds =
            std::clamp<std::int64_t>(arguments_.integer("retry").value_or(1), 1, 10);
        for (std::int64_t round = 0; round < rounds; ++round)
            for (const FenceLevel& names : host.fence) {
                if (deadline_.passed(now())) break;
                const std::vector<FenceDevice> level = devices_of(names);
                wait_for(level);
                const FenceOutcome out = authority_.fence(
                    host.name, level, deadline_.within(now(), inventory_.policy.fence_time));
                if (out.proof) {
                    const bool all = out.proof->coverage().is_everything();
                    return {
                        FailureKind::None, all ? "off" : "cut off",
                        all ? (out.already_off ? "Success: Already OFF" : "Success: Powered OFF")
                            : "Success: cut off from " + out.proof->coverage().text(),
                        out.proof->evidence()};
                }
                kind = out.kind;
                if (failures.size() < 8) failures.push_back(out.reason);
            }
        return {kind == FailureKind::None ? FailureKind::TimedOut : kind, "",
                host.name + " is not proved off: " + join(failures, "; "), ""};
    }

    /// Strips first: a BMC has power only behind them.
    End on(const Host& host) {
        std::vector<std::string> failures;
        FailureKind kind = FailureKind::None;
        bool any = false;
        bool answers_off = false;
        for (auto level = host.fence.rbegin(); level != host.fence.rend(); ++level) {
            const PowerOutcome out = authority_.turn_on(
                devices_of(*level), deadline_.within(now(), inventory_.policy.fence_time));
            any = any || out.ok();
            if (out.ok()) continue;
            answers_off = answers_off || out.kind == FailureKind::Stuck ||
                          out.kind == FailureKind::Unverified;
            kind = out.kind;
            failures.push_back(out.reason);
        }
        const std::string why = join(failures, "; ");
        if (!any || answers_off) return {kind, "", host.name + " is not proved on: " + why, ""};
        return {FailureKind::None, "on", "Success: Powered ON",
                "reads on" + (why.empty() ? "" : "; not all devices answered: " + why)};
    }

    End status(const Host& host) {
        if (host.fence.empty())
            throw UsageError("host " + host.name + " has no fence device in the cluster file");
        FailureKind kind = FailureKind::None;
        std::vector<std::string> failures;
        bool is_on = false;
        for (const FenceLevel& names : host.fence) {
            bool all_off = true;
            for (const FenceDevice& device : devices_of(names)) {
                const PowerReading out =
                    authority_.read(device, deadline_.within(now(), read_time));
                all_off = all_off && out.state == PowerState::Off;
                is_on = is_on || out.state == PowerState::On || out.state == PowerState::Mixed;
                if (out.ok()) continue;
                kind = out.kind;
                failures.push_back(out.reason);
            }
            if (all_off) return {FailureKind::None, "off", "Status: OFF", "", 2};
        }
        if (is_on) return {FailureKind::None, "on", "Status: ON", ""};
        return {kind, "", join(failures, "; "), ""};
    }

    /// Every device of the host, or of all hosts, answers with a known state.
    End monitor() {
        std::vector<std::string> failures;
        FailureKind kind = FailureKind::None;
        for (const Host& each : inventory_.hosts) {
            if (!arguments_.text("plug").empty() && each.name != host().name) continue;
            for (const FenceLevel& names : each.fence)
                for (const FenceDevice& device : devices_of(names)) {
                    const PowerReading out =
                        authority_.read(device, deadline_.within(now(), read_time));
                    if (out.ok()) continue;
                    kind = out.kind;
                    if (failures.size() < 8) failures.push_back(out.reason);
                }
        }
        if (failures.empty()) return {FailureKind::None, "on", "", ""};
        return {kind, "", join(failures, "; "), ""};
    }

    End validate() {
        for (const FenceDevice& device : inventory_.devices) switches_.open(device);
        return {FailureKind::None, "valid", "", ""};
    }

    End list() {
        std::string text;
        for (const Host& each : inventory_.hosts) {
            if (each.fence.empty()) continue;
            text += (text.empty() ? "" : "\n") + each.name + ",";
            if (action_ != "list-status") continue;
            const End end = status(each);
            text += "," + (end.kind != FailureKind::None ? std::string("UNKNOWN")
                           : end.code == 2               ? "OFF"
                                                         : "ON");
        }
        return {FailureKind::None, "listed", text, ""};
    }

    /// What a wrong word would destroy.
    void warn(const Host& host, const std::string& who) const {
        std::cerr << "On record: " << who << " says that " << host.name
                  << " is off. If it is not, its domains will run twice, and these will be "
                     "destroyed:\n";
        try {
            const ClusterRecord record = SqliteRecord(inventory_.state_dir).read();
            for (const DomainRecord& domain : record.domains) {
                if (domain.host != host.name || !is_active(domain.state)) continue;
                std::vector<std::string> disks;
                for (const DomainDisk& disk :
                     parse_domain_disks(domain.xml).value_or(std::vector<DomainDisk>{}))
                    disks.push_back(printable(disk.source, 120));
                std::cerr << "  " << printable(domain.name, 80) << ": "
                          << (disks.empty() ? "disks unknown" : join(disks, ", ")) << "\n";
            }
        } catch (const Error& error) {
            std::cerr << "  (the record can't be read: " << error.what() << ")\n";
        }
        std::cerr << "Interrupt within " << render_duration(second_thoughts)
                  << " if you are not certain." << std::endl;
    }

    End confirm() {
        const Host& host = this->host();
        const std::string reason = printable(trim(arguments_.text("reason")), 512);
        if (reason.empty())
            throw UsageError("--confirm-off needs --reason TEXT: how do you know that it is off?");
        const std::string who = user_name();
        warn(host, who);
        scheduler_->sleep_until(now() + second_thoughts);
        const Handed handed =
            hand_over(inventory_, {host.name, HostState::Down, StateType::Hard, "operator " + who,
                                   reason, "confirmed off by " + who + ": " + reason});
        return {FailureKind::None, "confirmed", handed.line + "; `domkeeper incidents` shows it",
                ""};
    }

    int show(const End& end) const {
        const bool ok = end.kind == FailureKind::None;
        if (arguments_.flag("json")) {
            Json json = Json::object();
            json.set("agent", "fence_host").set("action", action_).set("ok", ok);
            if (ok)
                json.set("state", end.state).set("evidence", end.detail);
            else
                json.set("kind", std::string(failure_kind_name(end.kind))).set("reason", end.text);
            std::cout << json.render();
        } else if (!ok) {
            std::cerr << "fence_host: " << printable(end.text, 1024) << "\n";
        } else if (!end.text.empty()) {
            std::cout << end.text << "\n";
        }
        return ok ? end.code : 1;
    }

    const Arguments& arguments_;
    const Deadline deadline_;
    const std::string action_;
    const Inventory inventory_;
    std::shared_ptr<RealScheduler> scheduler_;
    RealPowerSwitches switches_;
    FencingAuthority authority_;
    std::unique_ptr<SqliteJournal> journal_;
};

/// "fence_host xen1 ..." as "--plug=xen1 ... --action=off": what a person types.
std::vector<std::string> long_form(int argc, char** argv) {
    std::vector<std::string> words(argv, argv + argc);
    if (argc < 2 || argv[1][0] == '-') return words;
    words[1] = "--plug=" + words[1];
    const bool has_action = std::any_of(words.begin(), words.end(), [](const std::string& word) {
        return starts_with(word, "-o") || starts_with(word, "--action");
    });
    if (!has_action) words.insert(words.begin() + 2, "--action=off");
    return words;
}

}  // namespace

int run_host_agent(int argc, char** argv) {
    std::vector<std::string> words = long_form(argc, argv);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return run_agent(host_agent_table(), static_cast<int>(words.size()), pointers.data(),
                     [](const Arguments& arguments, Deadline deadline) {
                         return HostAgent(arguments, deadline).run();
                     });
}

}  // namespace domkeeper
