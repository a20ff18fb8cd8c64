// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/domain_ailment.hpp"

#include <array>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

struct Reason {
    std::string_view reason;
    Ailment ailment;
};

constexpr std::array<Reason, 6> ends{{
    {"guest crashed", Ailment::Crashed},
    {"failed to start", Ailment::Crashed},
    {"killed by the daemon", Ailment::Crashed},
    // A host that was restarted, or its daemon, has forgotten why.
    {"", Ailment::Crashed},
    {"shut down", Ailment::ShutDown},
    // destroyed, migrated, saved, from snapshot, and what later versions add
    {"destroyed", Ailment::ByHand},
}};

constexpr std::array<Reason, 11> pauses{{
    {"I/O error", Ailment::IoError},
    {"watchdog", Ailment::WatchedOut},
    {"guest crashed", Ailment::Panicked},
    {"migration", Ailment::Passing},
    {"being saved", Ailment::Passing},
    {"core dump", Ailment::Passing},
    {"from snapshot", Ailment::Passing},
    {"shutting down", Ailment::Passing},
    {"snapshot", Ailment::Passing},
    {"starting up", Ailment::Passing},
    {"post-copy migration", Ailment::Passing},
}};

template <std::size_t N>
Ailment pick(const std::array<Reason, N>& reasons, const std::string& reason) {
    for (const Reason& each : reasons)
        if (each.reason == reason) return each.ailment;
    return Ailment::ByHand;
}

Ailment ailment_of(const DomainView& view, bool stopped_here) {
    switch (view.state) {
        case DomainState::Running:
        case DomainState::Blocked: return Ailment::None;
        case DomainState::Paused: return pick(pauses, view.reason);
        case DomainState::ShuttingDown: return Ailment::Passing;
        case DomainState::ShutOff:
            return stopped_here && view.reason == "destroyed" ? Ailment::Crashed
                                                              : pick(ends, view.reason);
        case DomainState::Crashed: return Ailment::Panicked;
        // The guest's own will.
        case DomainState::Suspended: return Ailment::ByHand;
        case DomainState::Unknown: return Ailment::Unclear;
    }
    return Ailment::Unclear;
}

}  // namespace

Diagnosis diagnose(const DomainView* view, bool stopped_here, bool persistent) {
    if (view == nullptr)
        return {persistent ? Ailment::Absent : Ailment::Crashed,
                persistent ? "its host does not know it any more"
                           : "gone, as one that is not persistent goes when it ends"};
    std::string text(domain_state_name(view->state));
    if (!view->reason.empty()) text += " (" + printable(view->reason, 64) + ")";
    for (const std::string& error : view->disk_errors) text += ", " + printable(error, 64);
    return {ailment_of(*view, stopped_here), text};
}

}  // namespace domkeeper
