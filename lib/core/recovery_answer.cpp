// SPDX-License-Identifier: GPL-3.0-or-later
// Of a started domain that runs: does its guest do its work?
#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration ask_again{1'000};

}  // namespace

void RecoveryStepper::runs_stably(HostCase& host_case, DomainCase& domain) {
    const Domain* entry = context_.inventory.find_domain(domain.record.name);
    const std::string text = "it runs, and has for " + render_duration(policy().settle_time);
    if (entry == nullptr || !entry->answers) {
        note(host_case, EntryKind::Outcome, StepKind::Verify, text, domain.record.name,
             domain.target);
        domain.phase = DomainPhase::Runs;
        return;
    }
    note(host_case, EntryKind::Event, StepKind::Verify,
         text + "; now its guest is to answer " + render_guest_sign(*entry->answers) + " within " +
             render_duration(policy().answer_time),
         domain.record.name, domain.target);
    domain.phase = DomainPhase::Awaiting;
    domain.since = mono();
    ask_guest(host_case, domain);
}

void RecoveryStepper::ask_guest(HostCase& host_case, DomainCase& domain) {
    domain.asking = true;
    domain.next_look = mono() + ask_again;
    const Domain* entry = context_.inventory.find_domain(domain.record.name);
    act(AskGuest{host_case.id, domain.record, domain.target, *entry->answers});
}

void RecoveryStepper::on(const GuestAsked& asked) {
    for_each_case([&](HostCase& host_case) {
        const auto found = host_case.domains.find(asked.domain);
        if (host_case.id != asked.incident || found == host_case.domains.end()) return;
        DomainCase& domain = found->second;
        if (domain.phase != DomainPhase::Awaiting) return;
        domain.asking = false;
        if (asked.answered) {
            note(host_case, EntryKind::Outcome, StepKind::Verify,
                 "it runs, and its guest answers: " + asked.text, asked.domain, domain.target);
            domain.phase = DomainPhase::Runs;
        } else if (mono() - domain.since >= policy().answer_time) {
            no_answer(host_case, domain, asked);
        }
    });
}

/// A guest that is silent may still be of more use than none: it is stopped only where it was
/// started by us and another host has room for it.
void RecoveryStepper::no_answer(HostCase& host_case, DomainCase& domain, const GuestAsked& asked) {
    const std::string why =
        "it runs on " + domain.target + ", and its guest gives no sign: " + asked.text;
    std::string stays;
    if (!asked.asked)
        stays = "it could not be asked";
    else if (!domain.ours)
        stays = "it was not started by this worker";
    else if (domain.attempts + 1 >= policy().start_attempts)
        stays = counted(static_cast<std::size_t>(domain.attempts) + 1, "start") + " were tried";
    else if (host_case.returned || !host_case.off)
        stays = host_case.host + " is back";
    else if (!context_.arming.armed_at(context_.now.wall))
        stays = "somebody disarmed";
    else if (!has_other_place(domain))
        stays = "no other host may take it";
    if (!stays.empty())
        return refuse(host_case, domain, RefusalKind::NoAnswer,
                      why + "; it is left so, since " + stays);
    // Stopped it would stay so if its start elsewhere were not allowed: the proof is read again
    // first, and the guest is asked once more meanwhile.
    if (!proof_is_fresh(host_case)) return;
    note(host_case, EntryKind::Intent, StepKind::Verify,
         "stop it, to try another host: " + asked.text, domain.record.name, domain.target, false);
    domain.phase = DomainPhase::Stopping;
    act(StopDomain{host_case.id, domain.record, domain.target});
}

void RecoveryStepper::on(const DomainStopped& stopped) {
    for_each_case([&](HostCase& host_case) {
        if (host_case.id == stopped.incident) take_room(host_case, stopped);
        const auto found = host_case.domains.find(stopped.domain);
        if (host_case.id != stopped.incident || found == host_case.domains.end()) return;
        DomainCase& domain = found->second;
        if (domain.phase != DomainPhase::Stopping || domain.target != stopped.target) return;
        if (!stopped.stopped)
            // Whether it runs is not known, so it is started nowhere else.
            return refuse(host_case, domain, RefusalKind::NoAnswer,
                          "its guest gives no sign, and it was not stopped on " + stopped.target +
                              ": " + stopped.text);
        // Only now the journal says that this start failed: before, it might still have run there.
        note(host_case, EntryKind::Outcome, StepKind::Verify,
             "stopped, since its guest gave no sign", stopped.domain, stopped.target, false);
        failed_try(host_case, domain, RefusalKind::NoAnswer, "its guest gave no sign");
    });
    plan_when_seen();
}

}  // namespace domkeeper
