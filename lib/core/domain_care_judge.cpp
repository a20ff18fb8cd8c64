// SPDX-License-Identifier: GPL-3.0-or-later
// The care of domains: what a look around means.
#include <algorithm>

#include "lib/core/domain_care_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration look_again{1'000};
constexpr Duration start_look{500};
constexpr Duration ask_again{1'000};
/// What lasts longer than this is not on its way to anything.
constexpr Duration passing_time{120'000};
constexpr Duration twice_time{60'000};
/// A host that does not answer may be dead: so long the monitor has to say so.
constexpr Duration host_patience{300'000};
constexpr int looks_at_silence = 3;

const DomainView* find_view(const HostView& view, const CareCase& care) {
    for (const DomainView& domain : view.domains)
        if (domain.name == care.domain || (!domain.uuid.empty() && domain.uuid == care.record.uuid))
            return &domain;
    return nullptr;
}

/// Hosts that answer and show it active.
std::vector<std::string> active_on(const CareCase& care) {
    std::vector<std::string> hosts;
    for (const auto& [host, reading] : care.look.hosts) {
        if (!reading.view) continue;
        const DomainView* view = find_view(*reading.view, care);
        if (view != nullptr && is_active(view->state)) hosts.push_back(host);
    }
    return hosts;
}

}  // namespace

Remedy CareStepper::remedy(const CareCase& care, std::optional<Remedy> Remedies::*member) const {
    return remedy_for(member, entry(care)->remedies, policy().remedies);
}

void CareStepper::on(const LookedAround& look) {
    const auto found = situation_.cases.find(look.incident);
    if (found == situation_.cases.end() || found->second.phase != CarePhase::Looking) return;
    CareCase& care = found->second;
    care.look = look;
    care.look_began = look.began;
    if (care.domain == "*") return judge_host(care);
    judge(care);
}

// ---- which of a host's domains? ---------------------------------------------------------------

void CareStepper::judge_host(CareCase& care) {
    if (const auto why = objection(care.domain, care.host)) return refuse(care, *why);
    if (const auto why = busy_elsewhere(care.domain, care.host)) return refuse(care, *why);
    const HostReading& reading = care.look.hosts[care.host];
    if (!reading.view) return unseen(care, reading.why);
    std::vector<const Domain*> wanted;
    for (const Domain& domain : context_.inventory.domains) {
        const DomainRecord* record = context_.record.find_domain(domain.name);
        if (record != nullptr && record->host == care.host && domain.expect == Expected::Running)
            wanted.push_back(&domain);
    }
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const Domain* a, const Domain* b) { return a->priority > b->priority; });
    std::vector<std::string> ailing;
    bool all_open = true;
    for (const Domain* domain : wanted) {
        CareCase one;
        one.domain = domain->name;
        one.record = *context_.record.find_domain(domain->name);
        const DomainView* view = find_view(*reading.view, one);
        const Diagnosis found = diagnose(view, false, one.record.persistent);
        if (found.ailment == Ailment::None) continue;
        if (view == nullptr || !is_active(view->state)) {
            one.look = care.look;
            if (!active_on(one).empty()) continue;
        }
        std::optional<std::string> why = busy_elsewhere(domain->name, care.host);
        if (!why && situation_.find(domain->name) != nullptr)
            why = "incident " + std::to_string(situation_.find(domain->name)->id) + " has it";
        if (!why) why = first_objection(domain->name);
        if (why) {
            step_.entries.push_back({care.id,
                                     context_.now.wall,
                                     EntryKind::Refusal,
                                     StepKind::None,
                                     care.host,
                                     domain->name,
                                     {},
                                     false,
                                     found.text + "; left alone: " + *why});
            ailing.push_back(domain->name + " (left alone: " + *why + ")");
            all_open = false;
            continue;
        }
        CareCase& child = open(domain->name, care.host,
                               "found by incident " + std::to_string(care.id) + ": " + found.text);
        ailing.push_back(domain->name + " (incident " + std::to_string(child.id) + ")");
        look(child);
    }
    if (ailing.empty())
        return close(care, IncidentState::FalseAlarm,
                     counted(wanted.size(), "domain") + " of " + care.host +
                         (wanted.size() == 1 ? " runs as it" : " run as they") + " should");
    close(care, all_open ? IncidentState::HandedOn : IncidentState::Partial,
          counted(ailing.size(), "domain") + " failed: " + join(ailing, ", "));
}

// ---- one domain -------------------------------------------------------------------------------

void CareStepper::judge(CareCase& care) {
    std::optional<std::string> busy = busy_elsewhere(care.domain, care.host);
    if (!busy && !care.pinned.empty()) busy = busy_elsewhere(care.domain, care.pinned);
    if (busy) {
        // Whatever that recovery does with it is looked at afterwards.
        wait_for(care, *busy, look_again, std::nullopt);
        return;
    }
    const std::string left = left_fenced_host(care) ? care.host : std::string{};
    if (!care.acted && care.pinned.empty() && left.empty())
        if (const auto why = objection(care.domain, care.host)) return refuse(care, *why);
    if (!find(care)) return;
    // Active nowhere, so that the record says where it is.
    if (!left.empty() && care.host == left) {
        note(care, EntryKind::Event, StepKind::Observe,
             care.host + " was fenced, and it was brought elsewhere");
        care.record = *context_.record.find_domain(care.domain);
        care.host = care.record.host;
    }
    const HostReading& reading = care.look.hosts[care.host];
    if (!reading.view) return unseen(care, reading.why);
    care.unseen = 0;
    const DomainView* view = find_view(*reading.view, care);
    if (view != nullptr && view->persistent) care.record.persistent = true;
    if (!care.pinned.empty() && !find_pinned(care)) return;
    const Diagnosis diagnosis = diagnose(view, care.stopped_here, care.record.persistent);
    const bool well = diagnosis.ailment == Ailment::None;
    const bool unknown =
        diagnosis.ailment == Ailment::Passing || diagnosis.ailment == Ailment::Unclear;
    if (care.acted && !well && !unknown) {
        note(care, EntryKind::Outcome, StepKind::Verify, "it did not stay so: " + diagnosis.text,
             care.host, false);
        care.acted = false;
        care.silent_since.reset();
    }
    if (well) return sound(care);
    treat(care, diagnosis);
}

/// From a host that was fenced a recovery brought it elsewhere: it is looked for and cared for
/// there. What the fenced one has of it is not trusted.
bool CareStepper::left_fenced_host(const CareCase& care) const {
    const Maintenance* const mark = find_mark(context_.marks, care.host);
    const DomainRecord* const record = context_.record.find_domain(care.domain);
    return mark != nullptr && mark->fenced && record != nullptr && record->host != care.host &&
           care.pinned.empty();
}

/// Whether it was recorded on another host after the look that shows it there was begun.
bool CareStepper::moved_since_look(const CareCase& care, const std::string& host) const {
    const DomainRecord* const known = context_.record.find_domain(care.domain);
    return known != nullptr && known->host != host && is_active(known->state) &&
           known->seen >= context_.now.wall - (mono() - care.look_began);
}

/// Where is it active? False: on two hosts, which nobody here may decide.
bool CareStepper::find(CareCase& care) {
    const std::vector<std::string> hosts = active_on(care);
    if (hosts.size() > 1) {
        const std::string text = "it is active on " + join(hosts, " and ") + " at once";
        if (!wait_for(care, text, look_again, twice_time))
            give_up(care, text + "; stop one of them");
        return false;
    }
    if (hosts.empty() || (hosts.front() == care.host && care.pinned.empty())) return true;
    const std::string& host = hosts.front();
    if (moved_since_look(care, host)) {
        look(care);
        return false;
    }
    const bool ours = host == care.pinned;
    note(care, ours ? EntryKind::Outcome : EntryKind::Event,
         ours ? StepKind::Start : StepKind::Observe, "it is active on " + host, host);
    care.host = care.record.host = host;
    act(RecordPlace{care.domain, host});
    care.pinned.clear();
    if (!care.willed || care.acted) return true;
    care.acted = true;
    care.acted_at = mono();
    care.deed = ours ? "started on " + host : "it runs on " + host + " now";
    care.stopped_here = false;
    return true;
}

/// A start has no known end, and it is active nowhere. False: it has to be looked at again.
bool CareStepper::find_pinned(CareCase& care) {
    const HostReading& reading = care.look.hosts[care.pinned];
    if (!reading.view) {
        if (!wait_for(care, "a start on " + care.pinned + " was tried, and it does not answer",
                      look_again, policy().start_time + host_patience))
            give_up(care, "a start on " + care.pinned +
                              " was tried and nobody can say how it ended; it is not tried "
                              "elsewhere");
        return false;
    }
    const DomainView* const there = find_view(*reading.view, care);
    const Diagnosis diagnosis = diagnose(there, false, false);
    if (care.pinned != care.host && there != nullptr && diagnosis.ailment == Ailment::ByHand) {
        // It did run there, so whoever looks next has to look there.
        act(RecordPlace{care.domain, care.pinned});
        refuse(care, "on " + care.pinned + ", where a start was tried, it is " + diagnosis.text +
                         ": that was somebody's will");
        return false;
    }
    if (mono() - care.pinned_since < policy().settle_time) {
        wait(care, start_look);
        return false;
    }
    // On its own host a second start is refused by the hypervisor if the first one comes late.
    // Elsewhere it is tried again on the same host alone, for the same reason.
    if (care.pinned == care.host) {
        note(care, EntryKind::Outcome, StepKind::Start, "it does not run there", care.pinned,
             false);
        care.pinned.clear();
    }
    return true;
}

void CareStepper::unseen(CareCase& care, const std::string& why) {
    ++care.unseen;
    // Its guest is no more in reach than the host.
    care.silent_since.reset();
    if (care.willed) {
        if (wait_for(care,
                     care.host + " does not answer; whether it is dead is for the monitor to say",
                     look_again, host_patience))
            return;
        return give_up(care, "its host " + care.host + " does not answer any more: " + why);
    }
    if (care.unseen < looks_at_silence) return wait(care, look_again);
    refuse(care, "the hypervisor of " + care.host + " can't be asked (" + why +
                     "), which is no failure of " +
                     (care.domain == "*" ? "its domains" : "the domain"));
}

bool CareStepper::went_off_while_disarmed(const CareCase& care) const {
    const Arming& arming = context_.arming;
    const TimePoint armed_since = arming.armed || !arming.until ? arming.since : *arming.until;
    const DomainRecord* record = context_.record.find_domain(care.domain);
    return record != nullptr && record->seen < armed_since;
}

void CareStepper::treat(CareCase& care, const Diagnosis& diagnosis) {
    const auto told = [&](std::string_view key) {
        return diagnosis.text + "; the cluster file says " + std::string(key) + " = \"report\"";
    };
    switch (diagnosis.ailment) {
        case Ailment::None: return;
        case Ailment::Crashed:
            // Whatever made us end it wants it started again.
            if (!care.stopped_here && remedy(care, &Remedies::crash) == Remedy::Report)
                return refuse(care, told("on_crash"));
            return revive(care, diagnosis.text, false);
        case Ailment::Panicked:
            if (remedy(care, &Remedies::crash) == Remedy::Report)
                return refuse(care, told("on_crash"));
            return revive(care, diagnosis.text, true);
        case Ailment::WatchedOut:
            if (remedy(care, &Remedies::hang) == Remedy::Report)
                return refuse(care, told("on_hang"));
            return revive(care, diagnosis.text, true);
        case Ailment::IoError:
            if (remedy(care, &Remedies::io_error) == Remedy::Report)
                return refuse(care, told("on_io_error"));
            return let_go_on(care, diagnosis.text);
        case Ailment::ShutDown:
            if (remedy(care, &Remedies::shutdown) == Remedy::Report)
                return refuse(care, told("on_shutdown"));
            if (!care.willed && went_off_while_disarmed(care))
                return refuse(care, diagnosis.text +
                                        ", and it was so before domkeeper was armed: that was "
                                        "somebody's will");
            return revive(care, diagnosis.text, false);
        case Ailment::ByHand: return refuse(care, diagnosis.text + ": that was somebody's will");
        case Ailment::Passing:
        case Ailment::Unclear:
            if (!wait_for(care, "it is " + diagnosis.text, look_again, passing_time))
                refuse(care,
                       "it has been " + diagnosis.text + " for " + render_duration(passing_time));
            return;
        case Ailment::Absent:
            return refuse(care, diagnosis.text +
                                    ", and no host that answers runs it: somebody "
                                    "undefined it or moved it away");
    }
}

// ---- it runs: does its guest answer? ------------------------------------------------------------

/// So long its guest may be silent. One that was let go on was not started by us: what it holds in
/// memory is not thrown away sooner than of any other.
Duration CareStepper::answer_limit(const CareCase& care) const {
    return care.acted && !care.resumed ? policy().answer_time : policy().hang_time;
}

void CareStepper::sound(CareCase& care) {
    const bool answers = entry(care)->answers.has_value();
    if (care.acted) {
        const Instant settled = care.acted_at + policy().settle_time;
        if (mono() < settled) return wait(care, std::chrono::ceil<Duration>(settled - mono()));
        if (!answers) {
            const std::string text =
                "it runs, and has for " + render_duration(policy().settle_time);
            note(care, EntryKind::Outcome, StepKind::Verify, text, care.host);
            return close(care, IncidentState::Recovered, care.deed + "; " + text);
        }
    }
    if (!answers) return close(care, IncidentState::FalseAlarm, "it runs on " + care.host);
    if (!care.silent_since) {
        note(care, EntryKind::Event, StepKind::Verify,
             "it runs; its guest is to answer " + render_guest_sign(*entry(care)->answers) +
                 " within " + render_duration(answer_limit(care)),
             care.host);
        care.silent_since = mono();
    }
    care.phase = CarePhase::Asking;
    ask(care);
}

void CareStepper::ask(CareCase& care) {
    AskSign action{care.id, care.record, care.host, *entry(care)->answers, {}};
    // The others tell a silent guest from a network that is down, which an agent has no need of.
    for (const Domain& other : context_.inventory.domains) {
        const DomainRecord* record = context_.record.find_domain(other.name);
        if (!action.sign.by_agent() && other.name != care.domain && other.answers &&
            !other.answers->by_agent() && record != nullptr && record->host == care.host &&
            is_active(record->state))
            action.others.push_back(*other.answers);
    }
    care.asking = true;
    care.next = mono() + ask_again;
    act(std::move(action));
}

void CareStepper::on(const SignAsked& asked) {
    const auto found = situation_.cases.find(asked.incident);
    if (found == situation_.cases.end() || found->second.phase != CarePhase::Asking) return;
    CareCase& care = found->second;
    care.asking = false;
    if (asked.answered) {
        note(care, EntryKind::Outcome, StepKind::Verify,
             "it runs, and its guest answers: " + asked.text, care.host);
        if (care.acted)
            return close(care, IncidentState::Recovered, care.deed + "; its guest answers");
        return close(care, IncidentState::FalseAlarm,
                     "it runs on " + care.host + ", and its guest answers");
    }
    if (!care.acted)
        if (const auto why = objection(care.domain, care.host)) return refuse(care, *why);
    if (mono() - *care.silent_since < answer_limit(care)) return;
    care.silence = asked.text;
    if (!asked.asked) return refuse(care, "its guest could not be asked: " + asked.text);
    if (asked.witnesses < policy().quorum())
        return refuse(care, "its guest gives no sign (" + asked.text + "), and only " +
                                std::to_string(asked.witnesses) + " of " +
                                counted(policy().witnesses.size(), "witness", "witnesses") +
                                " answered: this node may be the one that is cut off");
    if (asked.others > 0 && asked.others_answered == 0)
        return refuse(care, "its guest gives no sign (" + asked.text +
                                "), and none of the other guests of " + care.host +
                                " does: that is rather their network");
    // Its host must be in sight, and the question later than that.
    if (mono() - care.look_began > look_max_age) return look(care);
    hung(care);
}

void CareStepper::hung(CareCase& care) {
    const std::string text =
        "it runs on " + care.host + ", and its guest gives no sign: " + care.silence;
    if (remedy(care, &Remedies::hang) == Remedy::Restart) {
        if (care.acted) note(care, EntryKind::Outcome, StepKind::Verify, text, care.host, false);
        care.acted = false;
        return revive(care, text, true);
    }
    const std::string left = text + "; it is left so, since on_hang = \"report\"";
    if (!care.acted) return refuse(care, left);
    note(care, EntryKind::Outcome, StepKind::Verify, text, care.host, false);
    close(care, IncidentState::Partial, care.deed + "; " + left);
}

}  // namespace domkeeper
