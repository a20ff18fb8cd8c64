// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/app/failure_kind.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/power.hpp"
#include "lib/core/time.hpp"
#include "lib/port/power_switch.hpp"
#include "lib/port/scheduler.hpp"

namespace domkeeper {

/// What fencing came to: a proof, or the kind of failure and one printable line.
struct FenceOutcome {
    std::optional<ProofOfOff> proof;  ///< empty: the host may still write
    FailureKind kind = FailureKind::None;
    std::string reason;  ///< of the failure, printable, without secrets; empty with a proof
    bool off = false;    ///< every device reads off; without a proof where that proves nothing
    bool already_off = false;  ///< with a proof: no command had to be sent
};

/// How switching on ended.
struct PowerOutcome {
    FailureKind kind = FailureKind::None;
    std::string reason;

    bool ok() const { return kind == FailureKind::None; }
};

/// What one device says of its power.
struct PowerReading {
    PowerState state = PowerState::Unknown;
    FailureKind kind = FailureKind::None;  ///< Unverified when it answers with no known state
    std::string reason;                    ///< of a failure, printable, without secrets

    bool ok() const { return kind == FailureKind::None; }
};

/// How long a device is borne with.
struct FencePatience {
    /// A device that never answered is given up after this, so that the next level gets its turn.
    /// One that did answer is borne with until the deadline: a BMC that shares the host's network
    /// card goes silent for seconds when the power goes.
    Duration first_answer{5'000};
    /// Between two readings; grows by half each time, and is never less than half of what the
    /// device took for its last answer: a slow one has a third of its time for others.
    Duration first_pause{3};
    Duration last_pause{15};  ///< up to this, which an off may come late
    Duration long_pause{30};  ///< up to this after `relay_time`: it is a slow one
    Duration relay_time{1'500};
    Duration late_pause{200};  ///< and up to this after `late`: it is no relay that takes so long
    Duration late{5'000};
    Duration resend{3'000};  ///< a device still in its old state gets the command once more
};

/// Takes power away and proves it: the only maker of ProofOfOff. It trusts no command, only what
/// is read back, and only the exact reading Off.
class FencingAuthority {
  public:
    /// Both must outlive every task of the scheduler.
    FencingAuthority(PowerSwitches& switches, Scheduler& scheduler, FencePatience patience = {});

    /// Switches every device of one level off, side by side, and proves it: each is read first
    /// (already off: no command), commanded, read until Off; when all of them are off every one
    /// is read again, so that all were off at one moment. Blocks at most until the deadline. Never
    /// throws an Error. Nothing is switched when any device's configuration is wrong.
    FenceOutcome fence(const std::string& host, const std::vector<FenceDevice>& level,
                       Deadline deadline);

    /// The same proof by reading alone: no command is sent. Fails at once when a device reads On.
    FenceOutcome confirm(const std::string& host, const std::vector<FenceDevice>& level,
                         Deadline deadline);

    /// Switches every device on and reads it back.
    PowerOutcome turn_on(const std::vector<FenceDevice>& level, Deadline deadline);

    /// Asks one device once, in the calling task. Never throws an Error.
    PowerReading read(const FenceDevice& device, Deadline deadline);

    /// An operator's recorded word that the host is off; `statement` says who, when and why.
    static ProofOfOff operator_confirmed(const std::string& host, const std::string& statement);

  private:
    enum class Goal { Off, ConfirmOff, On };
    struct Verdict {
        FailureKind kind = FailureKind::None;
        std::string text;  ///< the evidence or the reason
        bool commanded = false;
        Coverage covers{};  ///< what all devices together prove
    };

    Verdict drive(const std::vector<FenceDevice>& level, Goal goal, Deadline deadline);
    FenceOutcome outcome(const std::string& host, const Verdict& verdict) const;

    PowerSwitches& switches_;
    Scheduler& scheduler_;
    FencePatience patience_;
};

}  // namespace domkeeper
