// SPDX-License-Identifier: GPL-3.0-or-later
// Who waits for whose start, and which best-effort domains are stopped for must-run ones.
#include <algorithm>

#include "lib/core/maintenance.hpp"
#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// So often a host that does not answer is read again.
constexpr Duration peer_pause{1'000};

}  // namespace

/// True when there is nothing more to wait for: it runs, it was given up, or it is not to be
/// started at all. An order of starts keeps nobody down.
bool RecoveryStepper::is_through(const std::string& name) const {
    for (const auto& [host, host_case] : situation_.cases) {
        const auto found = host_case.domains.find(name);
        if (found != host_case.domains.end() && found->second.phase != DomainPhase::Runs &&
            found->second.phase != DomainPhase::Refused)
            return false;
    }
    // A host that is lost at the same time, and whose domains were not planned yet.
    const DomainRecord* const record = context_.record.find_domain(name);
    const Domain* const entry = context_.inventory.find_domain(name);
    if (record == nullptr || !is_active(record->state) || entry == nullptr ||
        entry->restart == RestartPolicy::Never)
        return true;
    const auto lost = situation_.cases.find(record->host);
    return lost == situation_.cases.end() || lost->second.planned ||
           lost->second.phase == CasePhase::Standing;
}

bool RecoveryStepper::is_its_turn(DomainCase& domain) {
    const Domain* const entry = context_.inventory.find_domain(domain.record.name);
    // An earlier start of a pinned one may be all over already.
    if (entry == nullptr || domain.waited || domain.pinned) return true;
    if (!std::all_of(entry->after.begin(), entry->after.end(),
                     [&](const std::string& name) { return is_through(name); })) {
        // What it comes after may have to be started anew: its delay begins after that.
        domain.not_before.reset();
        return false;
    }
    if (!domain.not_before) domain.not_before = mono() + entry->start_delay;
    domain.waited = mono() >= *domain.not_before;
    return domain.waited;
}

/// Why the domain can't be placed yet: where the other host lives, its group is there, and else it
/// is recovered together.
std::optional<std::string> RecoveryStepper::undecided_group(const DomainCase& domain) const {
    const Domain* const entry = context_.inventory.find_domain(domain.record.name);
    if (entry == nullptr || entry->together.empty() || domain.pinned) return std::nullopt;
    for (const auto& [host, other] : situation_.cases) {
        if (other.phase != CasePhase::Quiet && other.phase != CasePhase::Looking &&
            other.phase != CasePhase::Fencing)
            continue;
        for (const DomainRecord& mate : context_.record.domains) {
            const Domain* const known = context_.inventory.find_domain(mate.name);
            if (mate.host == host && mate.name != domain.record.name && known != nullptr &&
                is_active(mate.state) && share_group(known->together, entry->together))
                return "it is not decided yet what becomes of " + host + ", where " + mate.name +
                       " of its together group is";
        }
    }
    return std::nullopt;
}

bool RecoveryStepper::awaits_group(HostCase& host_case, const DomainCase& domain) {
    const auto why = undecided_group(domain);
    if (why && host_case.awaiting_group.insert(domain.record.name).second)
        note(host_case, EntryKind::Event, StepKind::Plan, "it waits: " + *why, domain.record.name);
    return why.has_value();
}

/// A hypervisor may be slow for a moment, or its host be the next to be fenced.
bool RecoveryStepper::awaits_peer(HostCase& host_case, DomainCase& domain,
                                  const Refusal& objection) {
    if (!domain.unseen_since) domain.unseen_since = mono();
    const Duration waited = std::chrono::duration_cast<Duration>(mono() - *domain.unseen_since);
    if (host_case.returned || waited >= policy().peer_time) return false;
    if (waited == Duration{0})
        note(host_case, EntryKind::Event, StepKind::Plan,
             "it waits for at most " + render_duration(policy().peer_time) + ": " + objection.text,
             domain.record.name);
    host_case.awaiting_peer.insert(domain.record.name);
    host_case.peer_look = mono() + peer_pause;
    return true;
}

/// Called with each Tick.
void RecoveryStepper::look_for_awaited_peers(HostCase& host_case) {
    if (host_case.phase != CasePhase::Starting || host_case.awaiting_peer.empty() ||
        mono() < host_case.peer_look)
        return;
    std::erase_if(situation_.power,
                  [](const auto& item) { return item.second && !item.second->off; });
    observe_again(host_case);
    plan_when_seen();
}

void RecoveryStepper::go_on() {
    place_when_decided();
    leave_emptied_hosts();
    start_ready();
    // Somebody may have disarmed while the last one waited for its turn.
    close_finished();
}

/// Whoever waits for what becomes of another host is placed when that is known.
void RecoveryStepper::place_when_decided() {
    bool decided = false;
    for (auto& item : situation_.cases) {
        HostCase& host_case = item.second;
        const auto waits = [&](const std::string& name) {
            return undecided_group(host_case.domains.at(name)).has_value();
        };
        if (host_case.awaiting_group.empty() || host_case.phase != CasePhase::Starting ||
            std::any_of(host_case.awaiting_group.begin(), host_case.awaiting_group.end(), waits))
            continue;
        host_case.awaiting_group.clear();
        observe_again(host_case);
        decided = true;
    }
    if (decided) plan_when_seen();
}

void RecoveryStepper::place_anew(HostCase& host_case, DomainCase& domain, const std::string& why) {
    note(host_case, EntryKind::Event, StepKind::Plan, why + ": it is placed anew",
         domain.record.name, domain.target);
    domain.placed = false;
    domain.target.clear();
    observe_again(host_case);
}

/// Whoever waits for its turn on a host that somebody began to empty meanwhile goes elsewhere,
/// where there is room for it. What waits on one that is to be fenced is let go by its proof of
/// off.
void RecoveryStepper::leave_emptied_hosts() {
    bool left = false;
    for (auto& item : situation_.cases) {
        HostCase& host_case = item.second;
        if (host_case.phase != CasePhase::Starting) continue;
        for (auto& [name, domain] : host_case.domains) {
            const Maintenance* const mark = find_mark(context_.marks, domain.target);
            if (domain.phase != DomainPhase::Waiting || !domain.placed || domain.pinned ||
                mark == nullptr || mark->fenced || !has_other_place(domain))
                continue;
            place_anew(host_case, domain, domain.target + " is taken out of use");
            left = true;
        }
    }
    if (left) plan_when_seen();
}

std::vector<Stoppable> RecoveryStepper::stoppable(const HostCase& host_case) const {
    const auto is_busy = [&](const std::string& name) {
        return host_case.unstoppable.count(name) != 0 || context_.moving.count(name) != 0 ||
               std::any_of(situation_.cases.begin(), situation_.cases.end(), [&](const auto& item) {
                   return item.second.domains.count(name) != 0 ||
                          item.second.stopping.count(name) != 0;
               });
    };
    // Of a group that is being started beside it, it is the one that says where.
    const auto has_followers = [&](const Domain& entry) {
        const auto follows = [&](const auto& item) {
            const Domain* const other = context_.inventory.find_domain(item.first);
            return other != nullptr && item.second.phase != DomainPhase::Refused &&
                   share_group(entry.together, other->together);
        };
        return std::any_of(situation_.cases.begin(), situation_.cases.end(), [&](const auto& item) {
            return std::any_of(item.second.domains.begin(), item.second.domains.end(), follows);
        });
    };
    std::vector<Stoppable> list;
    for (const Room& room : rooms())
        for (const DomainView& view : situation_.views.at(room.host).view->domains) {
            const Domain* const entry = context_.inventory.find_domain(view.name);
            if (entry == nullptr || entry->domain_class != DomainClass::BestEffort ||
                (view.state != DomainState::Running && view.state != DomainState::Blocked) ||
                is_busy(view.name) || has_followers(*entry))
                continue;
            list.push_back({view.name, room.host, view.memory, view.vcpus, rank_of(*entry)});
        }
    return list;
}

std::set<std::string> RecoveryStepper::make_room(HostCase& host_case,
                                                 const std::vector<Want>& wants, const Plan& plan) {
    if (policy().make_room == MakeRoom::Never || plan.refusals.empty() || !host_case.off ||
        host_case.returned || !context_.arming.armed_at(context_.now.wall))
        return {};
    // What was placed just now is among what its host has promised already.
    Plan refused;
    refused.refusals = plan.refusals;
    std::set<std::string> awaiting;
    for (const Stop& stop : plan_stops(rooms(), wants, refused, stoppable(host_case))) {
        const Stoppable& victim = stop.victim;
        DomainRecord record;
        if (const DomainRecord* known = context_.record.find_domain(victim.domain)) record = *known;
        record.name = victim.domain;
        record.host = victim.host;
        for (const DomainView& view : situation_.views.at(victim.host).view->domains)
            if (view.name == victim.domain) record.uuid = view.uuid;
        note(host_case, EntryKind::Intent, StepKind::MakeRoom,
             "stop this best-effort domain: " + stop.for_domain +
                 " must run and has no place otherwise",
             victim.domain, victim.host);
        host_case.stopping[victim.domain] = victim.host;
        awaiting.insert(stop.for_domain);
        act(StopDomain{host_case.id, std::move(record), victim.host});
    }
    host_case.awaiting_room.insert(awaiting.begin(), awaiting.end());
    return awaiting;
}

void RecoveryStepper::take_room(HostCase& host_case, const DomainStopped& stopped) {
    const auto victim = host_case.stopping.find(stopped.domain);
    if (victim == host_case.stopping.end() || victim->second != stopped.target) return;
    host_case.stopping.erase(victim);
    note(host_case, EntryKind::Outcome, StepKind::MakeRoom,
         stopped.stopped ? "stopped, to make room" : "it could not be stopped: " + stopped.text,
         stopped.domain, stopped.target, stopped.stopped);
    if (stopped.stopped)
        act(Notify{"domain " + stopped.domain + " was stopped on " + stopped.target +
                   " to make room for what must run of " + host_case.host + "; it stays down"});
    else
        host_case.unstoppable.insert(stopped.domain);
    if (!host_case.stopping.empty()) return;
    // Looked at again, the room is there, or another one is to be made.
    host_case.awaiting_room.clear();
    observe_again(host_case);
}

}  // namespace domkeeper
