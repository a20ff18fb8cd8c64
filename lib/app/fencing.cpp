// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/fencing.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

enum class Aim { Off, KeepOff, On };

/// One device on its way. Task and caller share it; `done` and what follows are guarded by the
/// scheduler's lock.
struct Device {
    std::string name;
    std::unique_ptr<PowerSwitch> power;
    Deadline deadline;
    Duration first_answer{0};
    bool answered = false;   ///< of the task alone
    bool commanded = false;  ///< of the task alone
    bool done = false;
    FailureKind kind = FailureKind::None;
    std::string text;  ///< of a failure: why
};

/// What the tasks of one call share; it lives as long as the last of them.
struct Work {
    Scheduler* scheduler = nullptr;
    FencePatience patience;
    std::vector<Device> devices;
    /// The caller has returned: nobody may send a command any more.
    std::atomic<bool> abandoned = false;
};

/// Of a device that was to stay off.
constexpr std::string_view reads_on = "reads on";

struct Trouble {
    FailureKind kind = FailureKind::None;
    std::string text;
};

/// Runs one port call; empty kind when it went well.
template <typename Call>
Trouble attempt(const Call& call) {
    try {
        call();
        return {};
    } catch (const std::exception& error) {
        return {failure_kind_of(error), error.what()};
    }
}

/// Trying again won't help, and may lock the account.
bool is_final(FailureKind kind) {
    return kind == FailureKind::Usage || kind == FailureKind::Login ||
           kind == FailureKind::NoSuchPlug;
}

/// The device's own limits, as options of the fence agent API: seconds, or a span with its unit.
std::optional<Duration> limit_option(const FenceDevice& device, const std::string& name) {
    const auto found = device.options.find(name);
    if (found == device.options.end()) return std::nullopt;
    if (const auto span = parse_duration(found->second)) return span;
    const auto seconds = parse_number(found->second);
    if (!seconds || *seconds < 0 || *seconds > 86'400)
        throw UsageError(name + " is no number of seconds: \"" + printable(found->second, 40) +
                         "\"");
    return Duration{static_cast<Duration::rep>(*seconds * 1000)};
}

/// Drives one device to its aim. Ends by the device's deadline.
class Drive {
  public:
    Drive(Work& work, Device& device, Aim aim) : work_(work), device_(device), aim_(aim) {}

    /// Empty kind when the aim is reached.
    Trouble run() {
        started_ = now();
        Duration pause = work_.patience.first_pause;
        for (;;) {
            if (work_.abandoned) return {FailureKind::TimedOut, "given up"};
            if (const auto end = look()) return *end;
            if (const auto end = act()) return *end;
            const Instant at = now();
            if (device_.deadline.passed(at)) return too_late();
            if (!device_.answered && at - started_ >= device_.first_answer) return trouble_;
            work_.scheduler->sleep_until(
                std::min(at + std::max(pause, rest_), device_.deadline.at));
            pause = std::min(pause * 3 / 2 + Duration{1}, longest_pause(at - started_));
        }
    }

  private:
    Instant now() const { return work_.scheduler->now().mono; }

    template <typename Span>
    Duration longest_pause(Span waited) const {
        const FencePatience& patience = work_.patience;
        if (waited >= patience.late) return patience.late_pause;
        return waited >= patience.relay_time ? patience.long_pause : patience.last_pause;
    }

    Deadline call_deadline() const {
        if (!device_.answered) return device_.deadline.within(started_, device_.first_answer);
        return device_.deadline.within(now(), device_.power->call_time());
    }

    /// Reads once; a value means that all is over.
    std::optional<Trouble> look() {
        started_reading_ = now();
        PowerState state = PowerState::Unknown;
        const Trouble before = trouble_;
        trouble_ = attempt([&] { state = device_.power->read(call_deadline()); });
        rest_ = std::min(std::chrono::duration_cast<Duration>(now() - started_reading_) / 2,
                         work_.patience.late_pause);
        // A call cut short by the deadline says less than the one before it.
        if (trouble_.kind == FailureKind::TimedOut && before.kind != FailureKind::None &&
            now() - started_reading_ < Duration{500})
            trouble_ = before;
        if (trouble_.kind == FailureKind::None) {
            state_ = state;
            known_ = started_reading_;
        }
        if (is_final(trouble_.kind)) return trouble_;
        heard_ = trouble_.kind == FailureKind::None || trouble_.kind == FailureKind::Protocol ||
                 trouble_.kind == FailureKind::Unverified;
        if (heard_) device_.answered = true;
        if (trouble_.kind != FailureKind::None) return std::nullopt;
        if (state_ == (aim_ == Aim::On ? PowerState::On : PowerState::Off)) return Trouble{};
        if (aim_ == Aim::KeepOff && (state_ == PowerState::On || state_ == PowerState::Mixed))
            return Trouble{FailureKind::Unverified, std::string(reads_on)};
        return std::nullopt;
    }

    /// Sends the command when it is due.
    std::optional<Trouble> act() {
        // To a device that was not heard a command would be as lost as the question was.
        if (aim_ == Aim::KeepOff || !heard_ || work_.abandoned) return std::nullopt;
        const Instant at = now();
        if (device_.deadline.passed(at)) return std::nullopt;
        if (sent_) {
            // A command that failed is tried again sooner, and does not count as accepted.
            const Duration wait = refused_.kind == FailureKind::None
                                      ? work_.patience.resend
                                      : std::min(work_.patience.resend, Duration{500});
            if (accepted_ >= 2 || at - *sent_ < wait) return std::nullopt;
        }
        const PowerCommand command = aim_ == Aim::On ? PowerCommand::On : PowerCommand::Off;
        refused_ = attempt([&] { device_.power->command(command, call_deadline()); });
        if (is_final(refused_.kind)) return refused_;
        sent_ = now();
        device_.commanded = true;
        if (refused_.kind == FailureKind::None) ++accepted_;
        return std::nullopt;
    }

    Trouble too_late() const {
        // The last reading may only have been cut short by the deadline itself.
        const bool known = known_ && started_reading_ - *known_ <= Duration{1'000};
        if (trouble_.kind != FailureKind::None &&
            !(trouble_.kind == FailureKind::TimedOut && known))
            return trouble_;
        if (state_ == PowerState::Unknown)
            return {FailureKind::Unverified, "its power state can't be told"};
        const std::string state(power_state_name(state_));
        if (refused_.kind != FailureKind::None)
            return {refused_.kind, "the command failed (" + refused_.text + "), it reads " + state};
        const auto waited = std::chrono::duration_cast<Duration>(now() - sent_.value_or(started_));
        return {FailureKind::Stuck, "still reads " + state + " " + render_seconds(waited) +
                                        " s after the command was accepted"};
    }

    Work& work_;
    Device& device_;
    const Aim aim_;
    Instant started_{};
    std::optional<Instant> sent_;
    int accepted_ = 0;
    bool heard_ = false;
    Instant started_reading_{};
    Duration rest_{0};              ///< that the device is given before the next question
    std::optional<Instant> known_;  ///< when state_ was asked for
    PowerState state_ = PowerState::Unknown;
    Trouble trouble_;  ///< of the last reading
    Trouble refused_;  ///< of the last command
};

/// Drives all devices side by side. Returns when all are there, one has failed, or at the
/// deadline.
Trouble drive_all(const std::shared_ptr<Work>& work, Aim aim, Deadline deadline) {
    for (Device& device : work->devices) {
        device.done = false;
        device.kind = FailureKind::None;
    }
    for (std::size_t i = 0; i < work->devices.size(); ++i)
        work->scheduler->spawn([work, aim, i] {
            Device& device = work->devices[i];
            Trouble end = Drive(*work, device, aim).run();
            work->scheduler->update([&] {
                device.kind = end.kind;
                device.text = std::move(end.text);
                device.done = true;
            });
        });
    Trouble first;
    const auto settled = [&] {
        bool all = true;
        for (const Device& device : work->devices) {
            if (device.done && device.kind != FailureKind::None) {
                first = {device.kind, device.name + ": " + device.text};
                return true;
            }
            all = all && device.done;
        }
        return all;
    };
    if (work->scheduler->wait_until(deadline.at, settled)) return first;
    work->scheduler->update([&] {
        for (const Device& device : work->devices)
            if (!device.done && first.kind == FailureKind::None)
                first = {FailureKind::TimedOut, device.name + ": no answer by the deadline"};
    });
    return first;
}

/// Stops the tasks that are left from acting, however the call ends.
class Abandon {
  public:
    explicit Abandon(std::shared_ptr<Work> work) : work_(std::move(work)) {}
    ~Abandon() { work_->abandoned = true; }
    Abandon(const Abandon&) = delete;
    Abandon& operator=(const Abandon&) = delete;

  private:
    std::shared_ptr<Work> work_;
};

}  // namespace

FencingAuthority::FencingAuthority(PowerSwitches& switches, Scheduler& scheduler,
                                   FencePatience patience)
    : switches_(switches), scheduler_(scheduler), patience_(patience) {}

FencingAuthority::Verdict FencingAuthority::drive(const std::vector<FenceDevice>& level, Goal goal,
                                                  Deadline deadline) {
    if (level.empty()) return {FailureKind::Usage, "no fence device is configured"};
    const auto work = std::make_shared<Work>();
    const Abandon guard(work);
    work->scheduler = &scheduler_;
    work->patience = patience_;
    const Instant now = scheduler_.now().mono;
    // The tasks end a little before the caller, so that their own words are heard.
    const Duration margin = std::min(Duration{20}, deadline.remaining(now) / 20);
    for (const FenceDevice& configured : level) {
        Device device;
        device.name = configured.name;
        const Trouble bad = attempt([&] {
            device.power = switches_.open(configured);
            device.first_answer =
                limit_option(configured, "login_timeout")
                    .value_or(std::max(patience_.first_answer, device.power->call_time()));
            device.deadline = Deadline{deadline.at - margin};
            if (const auto limit = limit_option(configured, "timeout"))
                device.deadline = device.deadline.within(now, *limit);
        });
        if (bad.kind != FailureKind::None) return {bad.kind, configured.name + ": " + bad.text};
        work->devices.push_back(std::move(device));
    }

    const auto drive_to = [&](Aim aim) {
        Trouble end;
        const Trouble no_thread = attempt([&] { end = drive_all(work, aim, deadline); });
        return no_thread.kind == FailureKind::None ? end : no_thread;
    };
    const Aim aim = goal == Goal::On ? Aim::On : goal == Goal::Off ? Aim::Off : Aim::KeepOff;
    Trouble end;
    // A device that comes back on by itself gets the command again, but not for ever.
    constexpr int most_rounds = 3;
    for (int round = 0; round < most_rounds; ++round) {
        end = drive_to(aim);
        if (end.kind != FailureKind::None || goal == Goal::On) break;
        // Each read off at some moment of its own; read again, all of them are off at the moment
        // between the two rounds.
        end = drive_to(Aim::KeepOff);
        if (end.kind != FailureKind::Unverified || !end.text.ends_with(reads_on)) break;
        end.text += " again after it read off";
        if (goal == Goal::ConfirmOff) break;
    }
    if (end.kind != FailureKind::None) return {end.kind, end.text};
    Verdict verdict;
    for (const Device& device : work->devices) {
        if (!verdict.text.empty()) verdict.text += ", ";
        const Coverage covers = device.power->coverage();
        verdict.covers.add(covers);
        verdict.text += device.name + (goal == Goal::On ? " reads on" : " reads off");
        if (goal != Goal::On && !covers.is_everything()) verdict.text += " (" + covers.text() + ")";
        verdict.commanded = verdict.commanded || device.commanded;
        if (goal == Goal::Off && !device.commanded) verdict.text += " as it already did";
    }
    return verdict;
}

FenceOutcome FencingAuthority::outcome(const std::string& host, const Verdict& verdict) const {
    FenceOutcome out;
    out.kind = verdict.kind;
    if (verdict.kind != FailureKind::None) {
        out.reason = printable(verdict.text, 512);
        return out;
    }
    out.off = true;
    out.already_off = !verdict.commanded;
    if (verdict.covers.empty()) {
        out.kind = FailureKind::Unverified;
        out.reason = printable(verdict.text + ", which proves nothing", 512);
        return out;
    }
    out.proof = ProofOfOff(host, printable(verdict.text, 512), verdict.covers);
    return out;
}

FenceOutcome FencingAuthority::fence(const std::string& host, const std::vector<FenceDevice>& level,
                                     Deadline deadline) {
    return outcome(host, drive(level, Goal::Off, deadline));
}

FenceOutcome FencingAuthority::confirm(const std::string& host,
                                       const std::vector<FenceDevice>& level, Deadline deadline) {
    return outcome(host, drive(level, Goal::ConfirmOff, deadline));
}

PowerOutcome FencingAuthority::turn_on(const std::vector<FenceDevice>& level, Deadline deadline) {
    const Verdict verdict = drive(level, Goal::On, deadline);
    return {verdict.kind,
            verdict.kind == FailureKind::None ? std::string() : printable(verdict.text, 512)};
}

PowerReading FencingAuthority::read(const FenceDevice& device, Deadline deadline) {
    PowerReading out;
    Trouble trouble = attempt([&] { out.state = switches_.open(device)->read(deadline); });
    if (trouble.kind == FailureKind::None && out.state == PowerState::Unknown)
        trouble = {FailureKind::Unverified, "its power state can't be told"};
    out.kind = trouble.kind;
    if (!out.ok()) out.reason = printable(device.name + ": " + trouble.text, 512);
    return out;
}

ProofOfOff FencingAuthority::operator_confirmed(const std::string& host,
                                                const std::string& statement) {
    return ProofOfOff(host, printable("confirmed off by an operator: " + statement, 512),
                      Coverage::everything());
}

}  // namespace domkeeper
