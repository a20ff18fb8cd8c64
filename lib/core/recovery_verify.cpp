// SPDX-License-Identifier: GPL-3.0-or-later
// From the start of a domain to the closing of the incident: does it run, does it stay?
#include <algorithm>

#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration look_again{500};

/// True while only another look at its host tells how it is with the domain.
bool awaits_look(const DomainCase& domain) {
    return domain.phase == DomainPhase::Settling || domain.phase == DomainPhase::Unsure;
}

bool is_final(const DomainCase& domain) {
    return domain.phase == DomainPhase::Runs || domain.phase == DomainPhase::Refused;
}

const DomainView* find_view(const HostView& view, const DomainRecord& record) {
    for (const DomainView& domain : view.domains)
        if (domain.name == record.name || (!domain.uuid.empty() && domain.uuid == record.uuid))
            return &domain;
    return nullptr;
}

}  // namespace

void RecoveryStepper::on(const StartEnded& ended) {
    for_each_case([&](HostCase& host_case) {
        const auto found = host_case.domains.find(ended.domain);
        if (host_case.id != ended.incident || found == host_case.domains.end()) return;
        DomainCase& domain = found->second;
        // A late word of a start that was given up, since its target died, counts no more.
        if (domain.phase != DomainPhase::Starting || domain.target != ended.target) return;
        switch (ended.result) {
            case StartResult::Ok:
                domain.ours = true;
                return settle(host_case, domain, ended.target, ended.text);
            case StartResult::Failed:
                note(host_case, EntryKind::Outcome, StepKind::Start, ended.text, ended.domain,
                     ended.target, false);
                return failed_try(host_case, domain, RefusalKind::StartFailed, ended.text);
            case StartResult::Unknown:
                // No outcome is journaled: the intent stays open and pins the domain.
                note(host_case, EntryKind::Event, StepKind::Start, ended.text, ended.domain,
                     ended.target, false);
                domain.phase = DomainPhase::Unsure;
                domain.since = mono();
                domain.next_look = mono();
                return request_view(ended.target, policy().observe_time);
        }
    });
    plan_when_seen();
}

void RecoveryStepper::settle(HostCase& host_case, DomainCase& domain, const std::string& target,
                             const std::string& text) {
    note(host_case, EntryKind::Outcome, StepKind::Start, text, domain.record.name, target);
    act(MoveRecord{domain.record.name, target});
    domain.phase = DomainPhase::Settling;
    domain.target = target;
    domain.pinned = false;
    domain.since = mono();
    domain.next_look = mono() + policy().settle_time;
}

void RecoveryStepper::verify(HostCase& host_case, DomainCase& domain, const Observed& observed) {
    if (!awaits_look(domain) || observed.began < domain.next_look) return;
    const DomainView* view = observed.view ? find_view(*observed.view, domain.record) : nullptr;
    const std::string& name = domain.record.name;
    const auto give_up_at = domain.since + policy().settle_time + policy().start_time;
    domain.next_look = mono() + look_again;

    if (domain.phase == DomainPhase::Unsure) {
        if (view != nullptr && is_active(view->state))
            return settle(host_case, domain, observed.host, "it is active after all");
        if (mono() < give_up_at) return;
        return refuse(host_case, domain, RefusalKind::StartUnknown,
                      "a start on " + observed.host + " was tried and " +
                          (observed.view ? "it does not show there"
                                         : observed.host + " does not answer: " + observed.why) +
                          "; it is not tried elsewhere");
    }
    if (!observed.view) {
        if (mono() < give_up_at) return;
        return refuse(
            host_case, domain, RefusalKind::StartUnknown,
            "it was started, but " + observed.host + " does not answer any more: " + observed.why);
    }
    const DomainState state = view == nullptr ? DomainState::ShutOff : view->state;
    // A hypervisor that is overloaded lists a domain and can't say how it is: that is no verdict.
    if (state == DomainState::Unknown) {
        if (mono() < give_up_at) return;
        return refuse(host_case, domain, RefusalKind::StartUnknown,
                      "it was started, but " + observed.host + " can't say how it is");
    }
    if (state == DomainState::Running || state == DomainState::Blocked)
        return runs_stably(host_case, domain);
    std::string text = "after " + render_duration(policy().settle_time) + " it is " +
                       std::string(domain_state_name(state));
    if (view != nullptr && !view->reason.empty()) text += " (" + view->reason + ")";
    note(host_case, EntryKind::Outcome, StepKind::Verify, text, name, observed.host, false);
    if (is_active(state)) return refuse(host_case, domain, RefusalKind::NotStable, text);
    failed_try(host_case, domain, RefusalKind::NotStable, text);
}

void RecoveryStepper::failed_try(HostCase& host_case, DomainCase& domain, RefusalKind kind,
                                 const std::string& why) {
    ++domain.attempts;
    domain.failed_on.insert(domain.target);
    domain.placed = false;
    domain.ours = false;
    domain.pinned = false;
    domain.target.clear();
    if (domain.attempts >= policy().start_attempts) return refuse(host_case, domain, kind, why);
    if (host_case.returned) return refuse_returned(host_case, domain);
    domain.phase = DomainPhase::Waiting;
    observe_again(host_case);
}

void RecoveryStepper::refuse(HostCase& host_case, DomainCase& domain, RefusalKind kind,
                             const std::string& why) {
    refuse(host_case, domain, Refusal{kind, domain.record.name, std::nullopt, std::nullopt, why});
}

void RecoveryStepper::refuse(HostCase& host_case, DomainCase& domain, Refusal refusal) {
    note(host_case, EntryKind::Refusal, StepKind::Start,
         std::string(refusal_kind_name(refusal.kind)) + ": " + refusal.text, refusal.domain,
         domain.target, false);
    domain.phase = DomainPhase::Refused;
    domain.refusal = std::move(refusal);
}

void RecoveryStepper::refuse_returned(HostCase& host_case, DomainCase& domain) {
    refuse(host_case, domain, RefusalKind::HostReturned,
           host_case.host + " is back, so it is no longer proved off");
}

void RecoveryStepper::host_returned(HostCase& host_case, const std::string& evidence) {
    note(host_case, EntryKind::Event, StepKind::Fence,
         "the proof of off is void, no further domain is started: " + evidence, {}, {}, false);
    host_case.returned = true;
    host_case.off = false;
    for (auto& [name, domain] : host_case.domains)
        if (domain.phase == DomainPhase::Waiting) {
            domain.placed = false;
            if (!domain.pinned) domain.target.clear();
        }
    observe_again(host_case);
    plan_when_seen();
}

void RecoveryStepper::release_from(const HostCase& lost) {
    for (auto& [host, other] : situation_.cases) {
        if (host == lost.host) continue;
        for (auto& [name, domain] : other.domains) {
            if (is_final(domain) || domain.target != lost.host) continue;
            // On a host that is cut off from other disks only, it may run on.
            if (!is_cut_off(lost.host, domain.record)) continue;
            if (domain.phase == DomainPhase::Settling || domain.phase == DomainPhase::Awaiting ||
                domain.phase == DomainPhase::Stopping) {
                refuse(other, domain, RefusalKind::OtherIncident,
                       lost.host + ", where it was started, died too: see incident " +
                           std::to_string(lost.id));
                continue;
            }
            note(other, EntryKind::Outcome, StepKind::Start, lost.host + " is off", name, lost.host,
                 false);
            domain.phase = DomainPhase::Waiting;
            domain.placed = false;
            domain.pinned = false;
            domain.target.clear();
            observe_again(other);
        }
    }
}

void RecoveryStepper::on(const Tick&) {
    for_each_case([&](HostCase& host_case) {
        if (host_case.phase == CasePhase::Quiet && host_case.stand_look <= mono())
            begin_look(host_case);
    });
    for_each_case([&](HostCase& host_case) { look_while_standing(host_case); });
    for_each_case([&](HostCase& host_case) { look_for_awaited_peers(host_case); });
    for (const auto& [host, host_case] : situation_.cases)
        for (const auto& [name, domain] : host_case.domains) {
            if (awaits_look(domain) && domain.next_look <= mono())
                request_view(domain.target, policy().observe_time);
        }
    for (auto& [host, host_case] : situation_.cases)
        for (auto& [name, domain] : host_case.domains)
            if (domain.phase == DomainPhase::Awaiting && !domain.asking &&
                domain.next_look <= mono())
                ask_guest(host_case, domain);
    // A move that held a recovery up may have come to its end.
    const bool held = std::any_of(situation_.cases.begin(), situation_.cases.end(),
                                  [](const auto& item) { return !item.second.held.empty(); });
    if (held) plan_when_seen();
}

std::optional<Instant> next_wake(const Situation& situation) {
    std::optional<Instant> next;
    for (const auto& [host, host_case] : situation.cases) {
        const bool looks_later =
            host_case.phase == CasePhase::Standing || host_case.phase == CasePhase::Quiet;
        if (looks_later && (!next || host_case.stand_look < *next)) next = host_case.stand_look;
        const bool awaits_peer =
            host_case.phase == CasePhase::Starting && !host_case.awaiting_peer.empty();
        if (awaits_peer && (!next || host_case.peer_look < *next)) next = host_case.peer_look;
        for (const auto& [name, domain] : host_case.domains) {
            // Before it is placed again its turn can't come.
            const bool waits = domain.phase == DomainPhase::Waiting && domain.placed &&
                               domain.not_before && !domain.waited;
            if (waits && (!next || *domain.not_before < *next)) next = *domain.not_before;
            const bool asks = domain.phase == DomainPhase::Awaiting && !domain.asking;
            const bool looks = awaits_look(domain) && situation.observing.count(domain.target) == 0;
            if (!asks && !looks) continue;
            if (!next || domain.next_look < *next) next = domain.next_look;
        }
    }
    return next;
}

void RecoveryStepper::close_finished() {
    for_each_case([&](HostCase& host_case) {
        if (!host_case.planned || host_case.phase != CasePhase::Starting ||
            !host_case.held.empty() || !host_case.stopping.empty())
            return;
        std::size_t running = 0, wanted = 0;
        std::vector<std::string> missing;
        for (const auto& [name, domain] : host_case.domains) {
            if (!is_final(domain)) return;
            const bool meant =
                !domain.refusal || (domain.refusal->kind != RefusalKind::NotListed &&
                                    domain.refusal->kind != RefusalKind::PolicyNever);
            wanted += meant ? 1U : 0U;
            running += domain.phase == DomainPhase::Runs ? 1U : 0U;
            if (meant && domain.refusal)
                missing.push_back(name + " (" + domain.refusal->text + ")");
        }
        std::string text = wanted == 0 ? "no domain of it was to run"
                                       : std::to_string(running) + " of " +
                                             counted(wanted, "domain") + " run again";
        if (!missing.empty()) text += "; not: " + join(missing, ", ");
        close(host_case.host, missing.empty() ? IncidentState::Recovered : IncidentState::Partial,
              text);
    });
}

}  // namespace domkeeper
