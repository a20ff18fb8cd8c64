// SPDX-License-Identifier: GPL-3.0-or-later
// A fault of the storage is none of the host: while the storage is down a recovery stands still,
// and a living host that alone lost its storage is emptied, not switched off.
#include <algorithm>

#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// So often a recovery that stands still looks whether the storage, or the host, is back.
constexpr Duration stand_pause{2'000};
/// A look that was begun and never ended is begun again.
constexpr Duration look_patience{10'000};

}  // namespace

// ---- the storage is down for everybody --------------------------------------------------------

bool RecoveryStepper::storage_awaited(const HostCase& host_case) const {
    return !context_.inventory.storages.empty() && !host_case.storage;
}

std::optional<std::string> RecoveryStepper::stranded_now(const HostCase& host_case,
                                                         const DomainRecord& domain) const {
    if (!host_case.storage || !host_case.confirmed_off.empty()) return std::nullopt;
    return stranded(context_.inventory, host_case.storage->reports, domain.xml);
}

/// Why none of the domains that are to be started again could run anywhere; empty: some could, or
/// there are none.
std::optional<std::string> RecoveryStepper::all_stranded(const HostCase& host_case) const {
    const Wanted wanted = wanted_domains(context_.inventory, context_.record, host_case.host);
    if (wanted.domains.empty()) return std::nullopt;
    for (const DomainCase& domain : wanted.domains)
        if (!stranded_now(host_case, domain.record)) return std::nullopt;
    return storage_trouble(host_case.storage->reports);
}

void RecoveryStepper::on(const StorageLooked& looked) {
    for (auto& [name, host_case] : situation_.cases) {
        if (host_case.id != looked.incident) continue;
        host_case.storage = looked;
        if (host_case.phase == CasePhase::Standing) return go_on_when_back(host_case);
        if (host_case.phase != CasePhase::Looking) return;
        for (const StorageReport& report : looked.reports)
            note(host_case, EntryKind::Event, StepKind::Look,
                 "storage " + report.name +
                     (!report.asked         ? " could not be asked, which says nothing: "
                      : report.down.empty() ? " answers: "
                                            : " is down: ") +
                     report.evidence,
                 {}, {}, report.asked && report.down.empty());
        return judge_look(host_case);
    }
}

bool RecoveryStepper::stands_still(HostCase& host_case) {
    const auto down = all_stranded(host_case);
    // Once it was fenced, what can't run is refused, whichever worker comes to say so.
    if (!down || host_case.fenced_before) return false;
    const std::string why = *down + ", which all of its domains need: fencing would help nobody";
    if (host_case.stands_for.empty()) {
        note(host_case, EntryKind::Refusal, StepKind::Look, "the recovery stands still: " + why, {},
             {}, false);
        act(Notify{"incident " + std::to_string(host_case.id) + ", host " + host_case.host +
                   ", stands still: " + why +
                   ". It goes on by itself when the storage answers; mend that first"});
    }
    host_case.stands_for = why;
    host_case.phase = CasePhase::Standing;
    host_case.stand_look = mono() + stand_pause;
    return true;
}

/// Called with each Tick.
void RecoveryStepper::look_while_standing(HostCase& host_case) {
    if (host_case.phase != CasePhase::Standing || mono() < host_case.stand_look) return;
    // By then somebody may have disarmed, and a record that is too old says nothing any more.
    if (const auto objection = standing_objection(context_, host_case.host, true)) {
        note(host_case, EntryKind::Refusal, StepKind::Look, *objection, {}, {}, false);
        return close(host_case.host, IncidentState::Refused,
                     "nothing was done: " + host_case.stands_for + "; now: " + *objection);
    }
    host_case.suspect.reset();
    host_case.storage.reset();
    host_case.stand_look = mono() + look_patience;
    act(LookAtSuspect{host_case.id, host_case.host});
    act(LookAtStorage{host_case.id});
}

/// While Standing, after each half of a look.
void RecoveryStepper::go_on_when_back(HostCase& host_case) {
    if (!host_case.suspect || !host_case.storage) return;
    if (host_case.suspect->answered) return answered(host_case, host_case.suspect->evidence);
    if (all_stranded(host_case)) {
        host_case.stand_look = mono() + stand_pause;
        return;
    }
    note(host_case, EntryKind::Event, StepKind::Look, "the storage answers again: it goes on");
    begin_look(host_case);
}

// ---- one living host lost its storage ---------------------------------------------------------

void RecoveryStepper::report_storage_lost(const HostEvent& event) {
    if (context_.inventory.find_host(event.host) == nullptr)
        return refuse_event(event, "no host of that name is in the cluster file", false);
    if (in_maintenance(event.host)) return refuse_event(event, "it is in maintenance", false);
    const bool fences = policy().storage_lost == StorageLost::Fence;
    if (const auto objection = standing_objection(context_, event.host, !fences))
        return refuse_event(event, *objection, true);
    if (policy().storage_lost == StorageLost::Report)
        return refuse_event(event, "the policy says storage_lost = \"report\"", true);
    HostCase& host_case = open(event);
    host_case.storage_lost = true;
    // It also tells a worker that comes after a killed one what this is about.
    note(host_case, EntryKind::Event, StepKind::Evacuate, "it is said to live without its storage");
    begin_look(host_case);
}

/// Why the host lost no more than everybody did: none of its domains has a disk on storage that
/// answers. One without any named storage runs on as it is.
std::optional<std::string> RecoveryStepper::lost_by_all(const HostCase& host_case) const {
    const Wanted wanted = wanted_domains(context_.inventory, context_.record, host_case.host);
    bool any = false;
    for (const DomainCase& domain : wanted.domains) {
        if (stranded_now(host_case, domain.record))
            any = true;
        else if (uses_storage(context_.inventory, domain.record.xml))
            return std::nullopt;
    }
    if (!any) return std::nullopt;
    return storage_trouble(host_case.storage->reports);
}

void RecoveryStepper::judge_storage_lost(HostCase& host_case) {
    if (!host_case.suspect || !host_case.hypervisor_asked || !host_case.peers ||
        storage_awaited(host_case))
        return;
    const auto refuse_all = [&](const std::string& why) {
        note(host_case, EntryKind::Refusal, StepKind::Look, why, {}, {}, false);
        close(host_case.host, IncidentState::Refused, "nothing was done: " + why);
    };
    const bool silent = !host_case.suspect->answered && !host_case.hypervisor_answered;
    // Fenced by a worker that was killed before it could say so.
    if (silent && host_case.fence_tried) return judge_silence(host_case);
    if (silent)
        return refuse_all("it does not answer (" + host_case.suspect->evidence +
                          "), so this is not about its storage alone: what is to be done is for "
                          "the report that it is down to say");
    if (const auto down = lost_by_all(host_case))
        return refuse_all(*down + " for everybody: moving its domains would help nobody");
    // Marked because it is to be fenced it is not: a worker was killed before it could do that.
    if (in_maintenance(host_case.host) && fenced_mark(host_case.host) == nullptr)
        return close(host_case.host, IncidentState::FalseAlarm,
                     "the host lives without its storage and is being evacuated; nobody was "
                     "fenced");
    if (policy().storage_lost == StorageLost::Fence) {
        host_case.suspect->answered = true;
        return judge_silence(host_case);
    }
    const std::string reason = "it lives and lost its way to the storage";
    note(host_case, EntryKind::Intent, StepKind::Evacuate,
         reason + ", which answers others: move its domains away");
    act(OrderEvacuation{host_case.id, host_case.host, reason});
}

void RecoveryStepper::on(const EvacuationOrdered& ordered) {
    for (const auto& [host, host_case] : situation_.cases) {
        if (host_case.id != ordered.incident) continue;
        note(host_case, EntryKind::Outcome, StepKind::Evacuate, "ordered");
        return close(host, IncidentState::FalseAlarm,
                     "the host lives without its storage and is being evacuated; nobody was "
                     "fenced");
    }
}

}  // namespace domkeeper
