// SPDX-License-Identifier: GPL-3.0-or-later
// Whose turn it is to be started, and whether what it was placed by still holds.
#include <algorithm>

#include "lib/core/recovery_stepper.hpp"

namespace domkeeper {

bool RecoveryStepper::proof_is_fresh(HostCase& host_case) {
    if (!host_case.confirmed_off.empty() || mono() - host_case.off_at <= proof_max_age) return true;
    const auto [power, asked_first] = situation_.power.emplace(host_case.host, std::nullopt);
    if (asked_first) act(ReadPower{host_case.host, host_case.proof_levels});
    return false;
}

/// Also of hosts that did not answer as the domains were placed. One that does not answer now keeps
/// nobody down: that was judged then.
bool RecoveryStepper::views_are_fresh() {
    bool fresh = true;
    for (const Host& host : context_.inventory.hosts) {
        const auto lost = situation_.cases.find(host.name);
        if (lost != situation_.cases.end() && lost->second.off && !lost->second.returned) continue;
        const auto view = situation_.views.find(host.name);
        if (view != situation_.views.end() && !view->second.view && resting(context_, host.name))
            continue;
        const Duration age = view == situation_.views.end()
                                 ? Duration::max()
                                 : std::chrono::duration_cast<Duration>(mono() - view->second.came);
        if (age > view_max_age / 2) request_view(host.name, policy().observe_time);
        if (age > view_max_age) fresh = false;
    }
    return fresh;
}

/// Whether the host on which it was placed may still take it, as it was seen since. One that does
/// not answer says so itself when the start comes.
bool RecoveryStepper::fits_still(DomainCase& domain) {
    const auto last = situation_.views.find(domain.target);
    if (domain.pinned || last == situation_.views.end() || last->second.came <= domain.placed_at)
        return true;
    domain.placed = false;
    const std::vector<Room> all = rooms();
    domain.placed = true;
    const auto room = std::find_if(all.begin(), all.end(),
                                   [&](const Room& one) { return one.host == domain.target; });
    return room == all.end() || takes(*room, want_for(domain));
}

void RecoveryStepper::start_ready() {
    struct Turn {
        HostCase* host_case;
        DomainCase* domain;
    };
    if (!context_.arming.armed_at(context_.now.wall))
        for (auto& [lost, host_case] : situation_.cases)
            for (auto& [name, domain] : host_case.domains)
                if (domain.phase == DomainPhase::Waiting && domain.placed)
                    refuse(host_case, domain, RefusalKind::Disarmed,
                           context_.arming.no_seat.empty()
                               ? "somebody disarmed in the middle of the recovery"
                               : context_.arming.no_seat);
    std::map<std::string, int> busy;
    int all_busy = 0;
    std::vector<Turn> turns;
    for (auto& [lost, host_case] : situation_.cases)
        for (auto& [name, domain] : host_case.domains) {
            if (domain.phase == DomainPhase::Starting || domain.phase == DomainPhase::Unsure) {
                ++busy[domain.target];
                ++all_busy;
            }
            if (domain.phase == DomainPhase::Waiting && domain.placed && host_case.off &&
                !host_case.returned)
                turns.push_back({&host_case, &domain});
        }
    std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
        return a.domain->priority > b.domain->priority;
    });
    // Asked while they wait for each other, so that whose turn comes need not wait for that, too.
    const bool seen = turns.empty() || views_are_fresh();
    bool anew = false;
    for (const Turn& turn : turns) {
        DomainCase& domain = *turn.domain;
        // Asked first: that its delay is over is noted also while others are being started.
        if (!is_its_turn(domain) || all_busy >= policy().starts_at_once ||
            busy[domain.target] >= policy().starts_per_host)
            continue;
        if (!proof_is_fresh(*turn.host_case) || !seen || find_running(*turn.host_case, domain))
            continue;
        if (!fits_still(domain)) {
            anew = true;
            place_anew(*turn.host_case, domain, domain.target + " has no place for it any more");
            continue;
        }
        ++busy[domain.target];
        ++all_busy;
        domain.phase = DomainPhase::Starting;
        domain.since = mono();
        note(*turn.host_case, EntryKind::Intent, StepKind::Start, "start it", domain.record.name,
             domain.target);
        act(Start{turn.host_case->id, domain.record, turn.host_case->host, domain.target});
    }
    if (anew) plan_when_seen();
}

}  // namespace domkeeper
