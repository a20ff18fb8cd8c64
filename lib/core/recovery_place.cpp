// SPDX-License-Identifier: GPL-3.0-or-later
// From the proof of off to the starts: what runs where, what goes where, whose turn it is.
#include <algorithm>

#include "lib/core/domain_disks.hpp"
#include "lib/core/recovery_stepper.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// So long a recovery waits for moves to or from its host to come to an end. libvirt needs up to
/// half a minute to give up one whose source died.
constexpr Duration move_patience{45'000};

/// "; after db1; delayed by 10s" where its start waits for something.
std::string order_text(const Inventory& inventory, const std::string& domain) {
    const Domain* const entry = inventory.find_domain(domain);
    if (entry == nullptr) return {};
    std::string text;
    if (!entry->after.empty()) text += "; after " + join(entry->after, ", ");
    if (entry->start_delay > Duration{0})
        text += "; delayed by " + render_duration(entry->start_delay);
    return text;
}

}  // namespace

Wanted wanted_domains(const Inventory& inventory, const ClusterRecord& record,
                      const std::string& host) {
    Wanted wanted;
    for (const DomainRecord& seen : record.domains) {
        if (seen.host != host || !is_active(seen.state)) continue;
        const Domain* entry = inventory.find_domain(seen.name);
        const auto refuse = [&](RefusalKind kind, const std::string& text) {
            wanted.refusals.push_back({kind, seen.name, std::nullopt, std::nullopt, text});
        };
        if (entry == nullptr) {
            refuse(RefusalKind::NotListed, "it is not in the cluster file");
        } else if (entry->restart == RestartPolicy::Never) {
            refuse(RefusalKind::PolicyNever, "the cluster file says restart = \"never\"");
        } else if (seen.xml.empty()) {
            refuse(RefusalKind::NoDefinition, "its definition was never recorded");
        } else {
            DomainCase domain;
            domain.record = seen;
            domain.priority = rank_of(*entry);
            wanted.domains.push_back(std::move(domain));
        }
    }
    return wanted;
}

// ---- what runs where ------------------------------------------------------------------------

void RecoveryStepper::request_view(const std::string& host, Duration limit) {
    if (situation_.observing.insert(host).second) act(Observe{host, limit});
}

Coverage RecoveryStepper::proved(const std::string& host) const {
    const auto found = situation_.cases.find(host);
    if (found != situation_.cases.end() && found->second.off && !found->second.returned)
        return found->second.proved;
    const auto power = situation_.power.find(host);
    if (power != situation_.power.end() && power->second && power->second->off)
        return power->second->covers;
    return {};
}

bool RecoveryStepper::is_off(const std::string& host) const {
    return proved(host).is_everything();
}

bool RecoveryStepper::is_cut_off(const std::string& host, const DomainRecord& domain) const {
    const Coverage coverage = proved(host);
    return !coverage.empty() && !coverage_gap(coverage, domain.xml);
}

void RecoveryStepper::observe_again(HostCase& host_case) {
    host_case.phase = CasePhase::Observing;
    host_case.views_since = mono();
}

void RecoveryStepper::begin_observing(HostCase& host_case) {
    observe_again(host_case);
    hold_moving(host_case);
    for (const Host& host : context_.inventory.hosts)
        if (host.name != host_case.host) situation_.power.erase(host.name);
    plan_when_seen();
}

bool RecoveryStepper::views_complete(HostCase& host_case) {
    bool complete = true;
    for (const Host& host : context_.inventory.hosts) {
        // A fenced host may run on, cut off from its disks: what it says of itself does not count.
        if (!proved(host.name).empty()) continue;
        const auto view = situation_.views.find(host.name);
        const bool unseen = view != situation_.views.end() && !view->second.view;
        // An empty host that is worked on may be down: it is not waited for twice.
        if (unseen && resting(context_, host.name)) continue;
        if (view == situation_.views.end() || view->second.began < host_case.views_since) {
            request_view(host.name, policy().observe_time);
            complete = false;
        } else if (unseen && !host.fence.empty()) {
            // A peer that can't be seen runs nothing if its power is off: reading does no harm.
            const auto [power, asked_first] = situation_.power.emplace(host.name, std::nullopt);
            if (asked_first) act(ReadPower{host.name});
            if (!power->second) complete = false;
        }
    }
    return complete;
}

/// A domain on its way to or from the host is looked at by those who move it, and what they leave
/// of it is what counts: half copies are gone then, and the record says where it is. The others
/// need not wait for it.
bool RecoveryStepper::is_held(const HostCase& host_case, const std::string& domain) const {
    const auto moving = context_.moving.find(domain);
    if (moving == context_.moving.end() ||
        (moving->second.from != host_case.host && moving->second.to != host_case.host))
        return false;
    return !host_case.held_since || mono() - *host_case.held_since < move_patience;
}

void RecoveryStepper::hold_moving(HostCase& host_case) {
    host_case.held.clear();
    for (const auto& [domain, moving] : context_.moving)
        if (is_held(host_case, domain)) host_case.held.insert(domain);
    if (!host_case.held.empty() && !host_case.held_since) host_case.held_since = mono();
}

/// What moves left that were waited for is planned like the rest, by what was seen after their end.
void RecoveryStepper::heed_ended_moves(HostCase& host_case) {
    const auto ended = std::erase_if(
        host_case.held, [&](const std::string& domain) { return !is_held(host_case, domain); });
    if (ended == 0) return;
    if (host_case.phase == CasePhase::Observing) {
        host_case.views_since = mono();
    } else if (host_case.phase == CasePhase::Starting && host_case.held.empty()) {
        host_case.planned = false;
        observe_again(host_case);
    }
}

void RecoveryStepper::plan_when_seen() {
    for_each_case([&](HostCase& host_case) {
        heed_ended_moves(host_case);
        if (host_case.phase == CasePhase::Observing && views_complete(host_case)) plan(host_case);
    });
}

void RecoveryStepper::on(const Observed& observed) {
    situation_.observing.erase(observed.host);
    situation_.views[observed.host] = {observed.began, observed.view, observed.why, mono()};
    // A peer that was off as the domains were placed has power again.
    const auto power = situation_.power.find(observed.host);
    if (observed.view && situation_.cases.count(observed.host) == 0 &&
        power != situation_.power.end() && power->second && power->second->covers.is_everything())
        situation_.power.erase(power);
    for_each_case([&](HostCase& host_case) {
        if (host_case.host == observed.host && host_case.phase == CasePhase::Looking) {
            // An answer may be older than the report where the reading is.
            if (observed.view && observed.began < host_case.looking_since)
                return request_view(observed.host, policy().look_time);
            host_case.hypervisor_asked = true;
            host_case.hypervisor_answered = observed.view.has_value();
            return judge_look(host_case);
        }
        for (auto& [name, domain] : host_case.domains)
            if (domain.target == observed.host) verify(host_case, domain, observed);
    });
    plan_when_seen();
}

// ---- what goes where ------------------------------------------------------------------------

void RecoveryStepper::take_wanted(HostCase& host_case) {
    Wanted wanted = wanted_domains(context_.inventory, context_.record, host_case.host);
    for (DomainCase& domain : wanted.domains) {
        DomainCase& kept = host_case.domains[domain.record.name];
        kept.record = domain.record;
        kept.priority = domain.priority;
    }
    for (const Refusal& refusal : wanted.refusals) {
        if (host_case.domains.count(refusal.domain) != 0) continue;
        DomainCase& kept = host_case.domains[refusal.domain];
        kept.record.name = refusal.domain;
        refuse(host_case, kept, refusal);
    }
    // What a killed worker had moved already is recorded on its new host.
    for (auto& [name, domain] : host_case.domains) {
        if (!domain.record.name.empty()) continue;
        domain.record.name = name;
        if (const DomainRecord* record = context_.record.find_domain(name)) domain.record = *record;
        if (const Domain* entry = context_.inventory.find_domain(name))
            domain.priority = rank_of(*entry);
        if (domain.record.xml.empty())
            refuse(host_case, domain, RefusalKind::NoDefinition, "its definition is gone");
    }
    host_case.planned = true;
}

bool RecoveryStepper::find_running(HostCase& host_case, DomainCase& domain) {
    std::vector<std::string> found;
    for (const Host& host : context_.inventory.hosts) {
        const auto last = situation_.views.find(host.name);
        if (is_cut_off(host.name, domain.record) || last == situation_.views.end() ||
            !last->second.view)
            continue;
        for (const DomainView& view : last->second.view->domains)
            if (is_active(view.state) &&
                (view.name == domain.record.name ||
                 (!view.uuid.empty() && view.uuid == domain.record.uuid))) {
                found.push_back(host.name);
                break;
            }
    }
    if (found.empty()) return false;
    if (found.size() > 1) {
        const std::string text = "it is active on " + join(found, " and ") + " at once";
        // Nothing touches it, and the record is left as it is.
        refuse(host_case, domain, RefusalKind::RunsTwice, text);
        act(Notify{"domain " + domain.record.name + ": " + text + "; stop one of them"});
        return true;
    }
    settle(host_case, domain, found.front(), "it is active on " + found.front() + " already");
    return true;
}

std::optional<Refusal> RecoveryStepper::unseen_objection(const HostCase& host_case,
                                                         const DomainCase& domain) const {
    const Domain* entry = context_.inventory.find_domain(domain.record.name);
    for (const Host& host : context_.inventory.hosts) {
        if (is_cut_off(host.name, domain.record) ||
            (host.name == host_case.host && !host_case.returned))
            continue;
        const auto seen = situation_.views.find(host.name);
        const LastView last = seen == situation_.views.end() ? LastView{} : seen->second;
        if (last.view) continue;
        // Whatever is trusted of the record: there it was started, or may have been.
        if (domain.target == host.name)
            return Refusal{RefusalKind::StartUnknown,
                           domain.record.name,
                           {},
                           {},
                           (domain.pinned ? "a start on " + host.name + " was tried, and "
                                          : "it was started on " + host.name + ", and ") +
                               host.name + " does not answer: " + last.why};
        // So does the record, of a move that may have come to its end.
        const DomainRecord* const known = context_.record.find_domain(domain.record.name);
        if (known != nullptr && known->host == host.name && host.name != host_case.host)
            return Refusal{
                RefusalKind::PeerUnseen,
                domain.record.name,
                {},
                {},
                "it is recorded on " + host.name + " now, which does not answer: " + last.why};
        if (policy().unseen_peers == UnseenPeers::TrustRecord) continue;
        if (resting(context_, host.name)) continue;
        if (entry != nullptr && !context_.inventory.may_run(*entry, host.name)) continue;
        return Refusal{
            RefusalKind::PeerUnseen,
            domain.record.name,
            {},
            {},
            host.name + " does not answer (" + last.why + "), and it may have been moved there"};
    }
    return std::nullopt;
}

bool RecoveryStepper::in_maintenance(const std::string& host) const {
    return std::any_of(context_.marks.begin(), context_.marks.end(),
                       [&](const Maintenance& mark) { return mark.host == host; });
}

std::vector<Room> RecoveryStepper::rooms() const {
    const auto is_ours = [&](const std::string& name) {
        return std::any_of(situation_.cases.begin(), situation_.cases.end(),
                           [&](const auto& item) { return item.second.domains.count(name) != 0; });
    };
    std::vector<Room> all;
    for (const Host& host : context_.inventory.hosts) {
        const auto last = situation_.views.find(host.name);
        if (is_off(host.name) || situation_.cases.count(host.name) != 0 ||
            last == situation_.views.end() || !last->second.view || in_maintenance(host.name))
            continue;
        RoomLeft left(context_.inventory, context_.record, host, *last->second.view);
        for (const auto& [name, moving] : context_.moving)
            if (moving.to == host.name) left.take(name, moving.memory);
        // What was promised to others but does not show yet is not free.
        for (const auto& [lost, other] : situation_.cases)
            for (const auto& [name, domain] : other.domains) {
                const bool promised =
                    domain.target == host.name &&
                    ((domain.phase == DomainPhase::Waiting && domain.placed) ||
                     domain.phase == DomainPhase::Starting || domain.phase == DomainPhase::Unsure ||
                     domain.phase == DomainPhase::Settling ||
                     domain.phase == DomainPhase::Awaiting ||
                     domain.phase == DomainPhase::Stopping);
                if (promised)
                    left.take(domain.record.name, domain.record.memory, domain.record.vcpus);
            }
        // What failed there and is cared for comes back into its old room. While it waits for its
        // turn it does not say where its together group is.
        for (const auto& [name, goal] : context_.cared) {
            const DomainRecord* const known = context_.record.find_domain(name);
            if (goal.host == host.name && known != nullptr && !is_ours(name))
                left.take(name, known->memory, known->vcpus, goal.is_bound);
        }
        left.take_since(context_.now.wall - (mono() - last->second.began));
        all.push_back(std::move(left).room());
    }
    return all;
}

Want RecoveryStepper::want_for(const DomainCase& domain) const {
    const std::string& name = domain.record.name;
    const Domain* entry = context_.inventory.find_domain(name);
    Want want{name, domain.record.memory, domain.priority, {}, {}};
    if (entry != nullptr) want = want_of(*entry, domain.record.memory, domain.record.vcpus);
    add_defined_needs(want, domain.record.xml);
    want.avoid = domain.failed_on;
    if (domain.pinned) {
        want.hosts = {domain.target};
        want.avoid.clear();
    }
    return want;
}

void RecoveryStepper::place(HostCase& host_case) {
    std::vector<Want> wants;
    for (auto& [name, domain] : host_case.domains) {
        if (!domain.is_unplaced() || is_held(host_case, name) ||
            host_case.awaiting_room.count(name) != 0 || host_case.awaiting_peer.count(name) != 0 ||
            awaits_group(host_case, domain))
            continue;
        wants.push_back(want_for(domain));
    }
    const Plan plan = plan_placement(rooms(), wants, context_.packing);
    for (const Placement& placement : plan.placements) {
        DomainCase& domain = host_case.domains.at(placement.domain);
        domain.target = placement.host;
        domain.placed = true;
        domain.placed_at = mono();
        note(host_case, EntryKind::Decision, StepKind::Plan,
             placement.reason + order_text(context_.inventory, placement.domain), placement.domain,
             placement.host);
    }
    const std::set<std::string> awaiting = make_room(host_case, wants, plan);
    for (const Refusal& refusal : plan.refusals)
        if (awaiting.count(refusal.domain) == 0)
            refuse(host_case, host_case.domains.at(refusal.domain), refusal);
}

bool RecoveryStepper::has_other_place(const DomainCase& domain) const {
    Want want = want_for(domain);
    want.avoid.insert(domain.target);
    return plan_placement(rooms(), {want}).refusals.empty();
}

/// The incident of another host that is about to start the domain, or has started it and does not
/// know yet what became of it. After a killed worker two may know of one domain: the host from
/// which it was recovered and the one that died with it.
std::optional<IncidentId> RecoveryStepper::claimed_by(const HostCase& host_case,
                                                      const std::string& name) const {
    for (const auto& [host, other] : situation_.cases) {
        const auto found = other.domains.find(name);
        if (other.id == host_case.id || found == other.domains.end()) continue;
        const DomainCase& domain = found->second;
        if (!domain.is_unplaced() && domain.phase != DomainPhase::Runs &&
            domain.phase != DomainPhase::Refused)
            return other.id;
    }
    return std::nullopt;
}

void RecoveryStepper::plan(HostCase& host_case) {
    hold_moving(host_case);
    host_case.awaiting_peer.clear();
    if (!host_case.planned) take_wanted(host_case);
    for (auto& [name, domain] : host_case.domains) {
        if (!domain.is_unplaced() || is_held(host_case, name)) continue;
        if (const auto other = claimed_by(host_case, name)) {
            refuse(host_case, domain, RefusalKind::OtherIncident,
                   "incident " + std::to_string(*other) + " brings it back");
            continue;
        }
        if (context_.moving.count(name) != 0) {
            refuse(host_case, domain, RefusalKind::MoveUnknown,
                   "it was being moved, and nobody can say yet where it is; see " +
                       std::string("`domkeeper status`"));
            continue;
        }
        if (find_running(host_case, domain)) continue;
        const auto unseen = unseen_objection(host_case, domain);
        if (!unseen) domain.unseen_since.reset();
        if (unseen) {
            if (!awaits_peer(host_case, domain, *unseen)) refuse(host_case, domain, *unseen);
        } else if (host_case.returned) {
            refuse_returned(host_case, domain);
        } else if (const auto gap = coverage_gap(host_case.proved, domain.record.xml)) {
            refuse(host_case, domain, RefusalKind::NotCovered,
                   host_case.host + " may still write to it: " + *gap);
        } else if (const auto down = stranded_now(host_case, domain.record)) {
            refuse(host_case, domain, RefusalKind::StorageDown, *down);
        }
    }
    place(host_case);
    host_case.phase = CasePhase::Starting;
    start_ready();
    close_finished();
}

}  // namespace domkeeper
