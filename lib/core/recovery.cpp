// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/recovery.hpp"

#include <algorithm>

#include "lib/core/domain_disks.hpp"
#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr int fence_rounds = 2;
/// Marks the entry that holds an operator's word, which outlives a killed worker.
constexpr std::string_view operator_target = "operator";

/// So reports by people begin.
constexpr std::string_view operator_source = "operator ";

std::string where(const std::string& host, const Host* entry) {
    return entry == nullptr ? host : host + " (" + entry->address + ")";
}

}  // namespace

RecoveryStep advance(Situation& situation, const RecoveryEvent& event,
                     const RecoveryContext& context) {
    RecoveryStepper stepper(situation, context);
    std::visit([&](const auto& e) { stepper.on(e); }, event);
    stepper.go_on();
    return stepper.take();
}

std::map<std::string, std::string> Situation::placed() const {
    std::map<std::string, std::string> all;
    for (const auto& [host, host_case] : cases)
        for (const auto& [name, domain] : host_case.domains) {
            if (!domain.is_unplaced() && domain.phase != DomainPhase::Refused &&
                !domain.target.empty())
                all[name] = domain.target;
        }
    return all;
}

std::optional<std::string> resting(const RecoveryContext& context, const std::string& host) {
    for (const auto& [domain, moving] : context.moving)
        if (moving.from == host || moving.to == host) return std::nullopt;
    for (const Maintenance& mark : context.marks) {
        // One that was fenced may have been switched on since, with who knows what.
        if (mark.host != host || mark.fenced) continue;
        if (!wanted_domains(context.inventory, context.record, host).domains.empty())
            return std::nullopt;
        return "it is in maintenance since " + render_time(mark.since) +
               (mark.who.empty() ? "" : " by " + mark.who) + " and empty; `domkeeper return " +
               host + "` ends that";
    }
    return std::nullopt;
}

std::optional<std::string> standing_objection(const RecoveryContext& context,
                                              const std::string& host, bool confirmed_off) {
    const Host* entry = context.inventory.find_host(host);
    if (entry == nullptr) return "no host of that name is in the cluster file";
    const Arming& arming = context.arming;
    if (!arming.no_seat.empty()) return arming.no_seat;
    if (!arming.armed_at(context.now.wall)) {
        std::string text = "disarmed";
        if (arming.until) text += " until " + render_time(*arming.until);
        if (!arming.who.empty()) text += " by " + arming.who;
        if (!arming.reason.empty()) text += ": " + arming.reason;
        return text + "; `domkeeper arm` ends it";
    }
    if (entry->fence.empty() && !confirmed_off)
        return "it has no fence device, so it can't be proved off; `domkeeper recover " + host +
               " --confirm-off` takes an operator's word";
    const HostRecord* record = context.record.find_host(host);
    if (record == nullptr)
        return "nothing is recorded of it; check_cluster must have seen it alive once";
    const auto age = std::chrono::duration_cast<Duration>(context.now.wall - record->seen);
    if (age > context.inventory.policy.record_max_age)
        return "the record of what ran there is too old to trust: taken " + render_duration(age) +
               " ago, the limit is " + render_duration(context.inventory.policy.record_max_age);
    return std::nullopt;
}

void RecoveryStepper::note(const HostCase& host_case, EntryKind kind, StepKind step,
                           const std::string& text, const std::string& domain,
                           const std::string& target, bool ok) {
    step_.entries.push_back(
        {host_case.id, context_.now.wall, kind, step, host_case.host, domain, target, ok, text});
}

void RecoveryStepper::close(const std::string& host, IncidentState state,
                            const std::string& summary) {
    HostCase& host_case = situation_.cases.at(host);
    note(host_case, EntryKind::Decision, StepKind::Close, summary, {}, {},
         state == IncidentState::Recovered || state == IncidentState::FalseAlarm);
    Incident incident;
    incident.id = host_case.id;
    incident.host = host;
    incident.closed = context_.now.wall;
    incident.state = state;
    incident.summary = summary;
    step_.closed.push_back(incident);
    return_if_up(host_case);
    act(Notify{"incident " + std::to_string(host_case.id) + ", host " + host + ", " +
               std::string(incident_state_name(state)) + ": " + summary});
    situation_.cases.erase(host);
}

void RecoveryStepper::for_each_case(const std::function<void(HostCase&)>& visit) {
    std::vector<std::string> hosts;
    for (const auto& [host, host_case] : situation_.cases) hosts.push_back(host);
    for (const std::string& host : hosts) {
        const auto found = situation_.cases.find(host);
        if (found != situation_.cases.end()) visit(found->second);
    }
}

// ---- reports --------------------------------------------------------------------------------

void RecoveryStepper::refuse_event(const HostEvent& event, const std::string& why,
                                   bool with_incident) {
    JournalEntry entry{0,
                       context_.now.wall,
                       EntryKind::Refusal,
                       StepKind::None,
                       event.host,
                       {},
                       {},
                       false,
                       std::string(host_state_name(event.state)) + " " +
                           std::string(state_type_name(event.type)) + " from " + event.source +
                           " not acted on: " + why};
    if (!with_incident) {
        step_.entries.push_back(entry);
        return;
    }
    open(event);
    HostCase& host_case = situation_.cases.at(event.host);
    entry.incident = host_case.id;
    step_.entries.push_back(entry);
    close(event.host, IncidentState::Refused, "nothing was done: " + why);
}

HostCase& RecoveryStepper::open(const HostEvent& event) {
    HostCase host_case;
    host_case.id = situation_.next_incident++;
    host_case.host = event.host;
    host_case.confirmed_off = event.confirmed_off;
    host_case.by_operator = starts_with(event.source, operator_source);
    Incident incident;
    incident.id = host_case.id;
    incident.host = event.host;
    incident.opened = context_.now.wall;
    step_.opened.push_back(incident);
    std::string text = event.source + " says " + std::string(host_state_name(event.state)) + " " +
                       std::string(state_type_name(event.type));
    if (!event.output.empty()) text += ": " + event.output;
    note(host_case, EntryKind::Event, StepKind::None, text);
    note_confirmation(host_case);
    return situation_.cases[event.host] = std::move(host_case);
}

void RecoveryStepper::note_confirmation(const HostCase& host_case) {
    if (!host_case.confirmed_off.empty())
        note(host_case, EntryKind::Event, StepKind::Fence, host_case.confirmed_off, {},
             std::string(operator_target));
}

void RecoveryStepper::on(const HostReported& reported) {
    const HostEvent& event = reported.event;
    const auto running = situation_.cases.find(event.host);
    if (running != situation_.cases.end()) {
        HostCase& host_case = running->second;
        note(host_case, EntryKind::Event, StepKind::None,
             event.source + " says " + std::string(host_state_name(event.state)) + " " +
                 std::string(state_type_name(event.type)) + "; joined to this incident");
        if (event.type == StateType::Hard) host_case.said_up = event.state == HostState::Up;
        if (event.state == HostState::Down && host_case.storage_lost && !host_case.off) {
            note(host_case, EntryKind::Event, StepKind::Evacuate, "it is said to be down now", {},
                 {}, false);
            host_case.storage_lost = false;
        }
        host_case.by_operator |= starts_with(event.source, operator_source);
        if (host_case.by_operator && host_case.phase == CasePhase::Quiet) begin_look(host_case);
        if (!event.confirmed_off.empty() && !host_case.off) {
            host_case.confirmed_off = event.confirmed_off;
            note_confirmation(host_case);
            if (host_case.phase == CasePhase::Standing) return begin_look(host_case);
            judge_look(host_case);
        }
        return;
    }
    if (event.state == HostState::Up) return host_up(event);
    if (event.type == StateType::Soft) return refuse_event(event, "a soft state", false);
    if (event.state == HostState::Unreachable)
        return refuse_event(event, "unreachable means that the way to it is broken", false);
    if (event.state == HostState::DomainFailed)
        return refuse_event(event, "it is about a domain, and the host lives", false);
    if (event.state == HostState::StorageLost) return report_storage_lost(event);
    if (context_.inventory.find_host(event.host) == nullptr)
        return refuse_event(event, "no host of that name is in the cluster file", false);
    // It is expected to be down: no incident, no message.
    if (const auto why = resting(context_, event.host)) return refuse_event(event, *why, false);
    if (const auto objection =
            standing_objection(context_, event.host, !event.confirmed_off.empty()))
        return refuse_event(event, *objection, true);
    look_when_quiet(open(event));
}

void RecoveryStepper::on(const Resumed& resumed) {
    HostCase host_case;
    host_case.id = resumed.incident.id;
    host_case.host = resumed.incident.host;
    host_case.resumed = true;
    // Only what the journal knows for certain is taken over. Proofs and views are not: they are
    // read again.
    for (const JournalEntry& entry : resumed.entries) {
        if (entry.step == StepKind::Fence && entry.kind == EntryKind::Outcome && entry.ok)
            host_case.fenced_before = true;
        if (entry.step == StepKind::Fence && entry.kind == EntryKind::Intent)
            host_case.fence_tried = host_case.marked = true;
        if (entry.kind == EntryKind::Event && entry.step == StepKind::None &&
            starts_with(entry.text, operator_source))
            host_case.by_operator = true;
        if (entry.kind == EntryKind::Event && entry.step == StepKind::Evacuate)
            host_case.storage_lost = entry.ok;
        if (entry.kind == EntryKind::Event && entry.target == operator_target)
            host_case.confirmed_off = entry.text;
        // Who was stopped for others is none of its domains.
        if (entry.domain.empty() || entry.step == StepKind::MakeRoom) continue;
        DomainCase& domain = host_case.domains[entry.domain];
        if (entry.step == StepKind::Start && entry.kind == EntryKind::Intent) {
            domain.target = entry.target;
            domain.pinned = true;
        }
        if (entry.step == StepKind::Start && entry.kind == EntryKind::Outcome) {
            domain.target = entry.ok ? entry.target : std::string{};
            domain.pinned = false;
            if (!entry.ok) {
                ++domain.attempts;
                domain.failed_on.insert(entry.target);
            }
        }
        if (entry.step == StepKind::Verify && entry.kind == EntryKind::Outcome && !entry.ok) {
            domain.target.clear();
            ++domain.attempts;
            domain.failed_on.insert(entry.target);
        }
    }
    situation_.cases[host_case.host] = std::move(host_case);
    HostCase& kept = situation_.cases.at(resumed.incident.host);
    note(kept, EntryKind::Event, StepKind::None, "its worker was killed; this one goes on with it");
    if (const auto objection = standing_objection(
            context_, kept.host, kept.fenced_before || !kept.confirmed_off.empty())) {
        note(kept, EntryKind::Refusal, StepKind::None, *objection, {}, {}, false);
        return close(kept.host, IncidentState::Refused, "not gone on with: " + *objection);
    }
    look_when_quiet(kept);
}

// ---- the second look ------------------------------------------------------------------------

void RecoveryStepper::begin_look(HostCase& host_case) {
    host_case.phase = CasePhase::Looking;
    host_case.looking_since = mono();
    // What was seen before counts no more.
    host_case.suspect.reset();
    host_case.peers.reset();
    host_case.storage.reset();
    host_case.hypervisor_asked = host_case.hypervisor_answered = host_case.power_off = false;
    note(host_case, EntryKind::Intent, StepKind::Look,
         "look again by ping, TCP, libvirt and the power reading, at most " +
             render_duration(policy().look_time));
    act(LookAtSuspect{host_case.id, host_case.host});
    act(LookAtPeers{host_case.id, host_case.host});
    if (!context_.inventory.storages.empty()) act(LookAtStorage{host_case.id});
    // The peers are read already now: it opens the connections that the starts will need.
    for (const Host& host : context_.inventory.hosts) request_view(host.name, policy().look_time);
    if (!context_.inventory.find_host(host_case.host)->fence.empty()) {
        situation_.power[host_case.host] = std::nullopt;
        act(ReadPower{host_case.host});
    }
}

void RecoveryStepper::on(const SuspectLooked& looked) {
    for (auto& [name, host_case] : situation_.cases)
        if (host_case.id == looked.incident) {
            host_case.suspect = looked;
            if (host_case.phase == CasePhase::Standing) return go_on_when_back(host_case);
            return judge_look(host_case);
        }
}

void RecoveryStepper::on(const PeersLooked& looked) {
    for (auto& [name, host_case] : situation_.cases)
        if (host_case.id == looked.incident) {
            host_case.peers = looked;
            return judge_look(host_case);
        }
}

void RecoveryStepper::on(const PowerRead& read) {
    situation_.power[read.host] = read;
    const auto found = situation_.cases.find(read.host);
    if (found != situation_.cases.end() && !found->second.returned) {
        HostCase& host_case = found->second;
        if (host_case.phase == CasePhase::Looking) {
            // A host that is merely cut off from its disks may be alive.
            host_case.power_off = read.off && read.covers.is_everything();
            note(host_case, EntryKind::Event, StepKind::Look, read.text, {}, {}, read.off);
            return judge_look(host_case);
        }
        if (host_case.off) {
            situation_.power.erase(read.host);
            // Only the devices that proved it can say that it holds no more.
            if (read.levels == host_case.proof_levels) {
                if (!read.off || !read.covers.includes(host_case.proved))
                    return host_returned(host_case, read.text);
                saw_off(host_case);
            }
        }
    }
    plan_when_seen();
}

void RecoveryStepper::judge_look(HostCase& host_case) {
    if (host_case.phase != CasePhase::Looking) return;
    if (host_case.storage_lost && !host_case.fenced_before) return judge_storage_lost(host_case);
    if (host_case.suspect && host_case.suspect->answered)
        return answered(host_case, host_case.suspect->evidence);
    if (host_case.hypervisor_answered) return answered(host_case, "its hypervisor answers");
    if (!host_case.peers || storage_awaited(host_case)) return;
    // A device that reads off by itself needs no further look at the host.
    if (host_case.power_off) return judge_silence(host_case);
    if (host_case.suspect && host_case.hypervisor_asked) judge_silence(host_case);
}

void RecoveryStepper::answered(HostCase& host_case, const std::string& evidence) {
    note(host_case, EntryKind::Outcome, StepKind::Look, "it answers: " + evidence);
    if (host_case.fenced_before) return host_returned(host_case, evidence);
    close(host_case.host, IncidentState::FalseAlarm,
          "the host lives (" + evidence + "); nobody was fenced");
}

void RecoveryStepper::judge_silence(HostCase& host_case) {
    const std::vector<std::string> lost = lost_together(host_case);
    const auto refuse_all = [&](const std::string& why) {
        note(host_case, EntryKind::Refusal, StepKind::Look, why, {}, {}, false);
        close(host_case.host, IncidentState::Refused, "nothing was done: " + why);
    };
    if (!host_case.power_off) {
        if (!host_case.suspect->asked)
            return refuse_all("the host could not even be asked: " + host_case.suspect->evidence);
        const int quorum = policy().quorum();
        if (host_case.peers->witnesses < quorum)
            return refuse_all("only " + std::to_string(host_case.peers->witnesses) + " of " +
                              counted(policy().witnesses.size(), "witness", "witnesses") +
                              " answered, " + std::to_string(quorum) +
                              " must: this node may be the one that is cut off");
        const bool peer_seen =
            std::any_of(host_case.peers->answered.begin(), host_case.peers->answered.end(),
                        [](const auto& p) { return p.second; });
        if (policy().witnesses.empty() && !peer_seen)
            return refuse_all(
                "no other host answers and no witness is configured: this node may "
                "be the one that is cut off");
    }
    if (stands_still(host_case)) return;
    if (const auto why = too_many(host_case, lost)) return refuse_all(*why);
    if (const auto why = too_often(host_case)) return refuse_all(*why);
    if (const auto objection = standing_objection(
            context_, host_case.host, host_case.fenced_before || !host_case.confirmed_off.empty()))
        return refuse_all(*objection);
    const Host* entry = context_.inventory.find_host(host_case.host);
    if (host_case.power_off) {
        note(host_case, EntryKind::Outcome, StepKind::Look, "silent, and its power is off already");
    } else if (host_case.storage_lost && host_case.suspect->answered) {
        note(host_case, EntryKind::Decision, StepKind::Look,
             "it lives without its storage, and the policy says storage_lost = \"fence\"");
    } else {
        note(host_case, EntryKind::Outcome, StepKind::Look,
             where(host_case.host, entry) + " is silent (" + host_case.suspect->evidence + "), " +
                 std::to_string(host_case.peers->witnesses) + " of " +
                 counted(policy().witnesses.size(), "witness", "witnesses") + " answered");
    }
    host_case.phase = CasePhase::Fencing;
    if (!host_case.confirmed_off.empty()) {
        note(host_case, EntryKind::Intent, StepKind::Fence,
             "take the operator's word: " + host_case.confirmed_off);
        mark_fenced(host_case);
        return act(AcceptConfirmation{host_case.id, host_case.host, host_case.confirmed_off});
    }
    fence_next(host_case);
}

// ---- the proof ------------------------------------------------------------------------------

void RecoveryStepper::fence_next(HostCase& host_case) {
    const Host* entry = context_.inventory.find_host(host_case.host);
    if (!context_.arming.armed_at(context_.now.wall)) {
        note(host_case, EntryKind::Refusal, StepKind::Fence, "disarmed in the middle of it", {}, {},
             false);
        return close(host_case.host, IncidentState::Refused,
                     "somebody disarmed in the middle of it; no domain was started elsewhere");
    }
    if (host_case.level >= entry->fence.size()) {
        // What is proved in part is used: the domains that it covers need not wait.
        if (!host_case.proved.empty()) return proved_off(host_case);
        host_case.level = 0;
        ++host_case.round;
    }
    if (host_case.round >= fence_rounds || entry->fence.empty()) {
        const std::string why =
            "it could not be proved off: " + join(host_case.fence_failures, "; ");
        note(host_case, EntryKind::Refusal, StepKind::Fence,
             why + "; no domain of it is started elsewhere", {}, {}, false);
        return close(host_case.host, IncidentState::Failed,
                     why + "; when it is off for certain: domkeeper recover " + host_case.host +
                         " --confirm-off");
    }
    const std::string devices = join(entry->fence[host_case.level], " and ");
    note(host_case, EntryKind::Intent, StepKind::Fence,
         "prove it off by " + devices + " (level " + std::to_string(host_case.level + 1) + " of " +
             std::to_string(entry->fence.size()) + ", round " +
             std::to_string(host_case.round + 1) + ")",
         {}, devices);
    mark_fenced(host_case);
    act(Fence{host_case.id, host_case.host, host_case.level, host_case.proved.empty()});
}

void RecoveryStepper::on(const FenceEnded& ended) {
    for (auto& [name, host_case] : situation_.cases) {
        if (host_case.id != ended.incident || host_case.phase != CasePhase::Fencing) continue;
        note(host_case, EntryKind::Outcome, StepKind::Fence, ended.text, {}, {}, ended.off);
        if (ended.off) {
            host_case.proved.add(ended.covers);
            host_case.proof_levels.push_back(host_case.level);
            if (proof_suffices(host_case)) return proved_off(host_case);
            note(host_case, EntryKind::Decision, StepKind::Fence,
                 "that covers " + host_case.proved.text() + ", not all of its domains");
            ++host_case.level;
            return fence_next(host_case);
        }
        if (host_case.fence_failures.size() < 8) host_case.fence_failures.push_back(ended.text);
        ++host_case.level;
        return fence_next(host_case);
    }
}

bool RecoveryStepper::proof_suffices(const HostCase& host_case) const {
    if (host_case.proved.is_everything()) return true;
    const Wanted wanted = wanted_domains(context_.inventory, context_.record, host_case.host);
    return std::none_of(wanted.domains.begin(), wanted.domains.end(), [&](const DomainCase& d) {
        return coverage_gap(host_case.proved, d.record.xml).has_value();
    });
}

void RecoveryStepper::saw_off(HostCase& host_case) {
    host_case.off_at = mono();
    // What is off runs nothing: as good as a look at it, also when this incident is closed.
    if (is_off(host_case.host)) situation_.views[host_case.host].came = mono();
}

void RecoveryStepper::proved_off(HostCase& host_case) {
    host_case.off = true;
    saw_off(host_case);
    situation_.power.erase(host_case.host);
    // Others may wait for a word of this one.
    for (auto& [name, other] : situation_.cases) other.peer_look = mono();
    release_from(host_case);
    begin_observing(host_case);
}

}  // namespace domkeeper
