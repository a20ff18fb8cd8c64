// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/dry_run.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "lib/core/agent_options.hpp"

namespace domkeeper {
namespace {

/// Answers the engine's actions with what the facts say or assume.
class Answers {
  public:
    Answers(const RecoveryContext& context, const DryRunFacts& facts)
        : context_(context), facts_(facts) {}

    void operator()(const LookAtSuspect& action) {
        events.push_back(SuspectLooked{action.incident, false, true, "assumed"});
    }
    void operator()(const LookAtPeers& action) {
        PeersLooked looked;
        looked.incident = action.incident;
        looked.witnesses = static_cast<int>(context_.inventory.policy.witnesses.size());
        for (const Host& host : context_.inventory.hosts)
            if (host.name != action.except) looked.answered[host.name] = seen(host.name) != nullptr;
        events.push_back(std::move(looked));
    }
    void operator()(const LookAtStorage& action) {
        StorageLooked looked{action.incident, {}};
        for (const StorageNode& storage : context_.inventory.storages)
            looked.reports.push_back({storage.name, {}, true, "assumed"});
        events.push_back(std::move(looked));
    }
    void operator()(const OrderEvacuation&) {}
    void operator()(const Observe& action) {
        const auto view = facts_.views.find(action.host);
        Observed observed{action.host, context_.now.mono, std::nullopt, "it is assumed lost"};
        if (const HostView* read = seen(action.host)) {
            observed.view = *read;
            std::erase_if(observed.view->domains, [&](const DomainView& domain) {
                const bool is_gone = stopped_.count(domain.name) != 0;
                if (is_gone && observed.view->memory_free)
                    *observed.view->memory_free += domain.memory;
                return is_gone;
            });
        } else if (view != facts_.views.end() && !is_lost(action.host))
            observed.why = view->second.why;
        events.push_back(std::move(observed));
    }
    void operator()(const ReadPower& action) {
        events.push_back(PowerRead{action.host, false, "its power is not read in a dry run"});
    }
    void operator()(const Fence& action) {
        // The level is assumed to work: what that would prove is in the configuration.
        Coverage covers;
        const Host* host = context_.inventory.find_host(action.host);
        for (const std::string& name : host->fence.at(action.level))
            if (const FenceDevice* device = context_.inventory.find_device(name))
                covers.add(configured_coverage(*device));
        events.push_back(FenceEnded{action.incident, true, "assumed", covers});
    }
    void operator()(const AcceptConfirmation&) {}
    void operator()(const Start&) {}
    void operator()(const AskGuest&) {}
    void operator()(const StopDomain& action) {
        stopped_.insert(action.domain.name);
        events.push_back(
            DomainStopped{action.incident, action.domain.name, action.target, true, "assumed"});
    }
    void operator()(const MoveRecord&) {}
    void operator()(const Notify&) {}

    std::deque<RecoveryEvent> events;

  private:
    bool is_lost(const std::string& host) const {
        return std::find(facts_.lost.begin(), facts_.lost.end(), host) != facts_.lost.end();
    }
    const HostView* seen(const std::string& host) const {
        const auto view = facts_.views.find(host);
        if (is_lost(host) || view == facts_.views.end() || !view->second.view) return nullptr;
        return &*view->second.view;
    }

    const RecoveryContext& context_;
    const DryRunFacts& facts_;
    std::set<std::string> stopped_;  ///< domains, to make room
};

bool worth_showing(const JournalEntry& entry) {
    // A refused report is an objection already.
    return (entry.kind == EntryKind::Refusal && entry.step != StepKind::None) ||
           (entry.kind == EntryKind::Intent &&
            (entry.step == StepKind::Fence || entry.step == StepKind::MakeRoom)) ||
           (entry.kind == EntryKind::Decision && entry.step == StepKind::Plan) ||
           (entry.kind == EntryKind::Outcome && entry.step == StepKind::Start);
}

}  // namespace

DryRunPlan dry_run(const RecoveryContext& context, const DryRunFacts& facts) {
    DryRunPlan plan;
    for (const std::string& host : facts.lost)
        if (const auto objection = standing_objection(context, host, false))
            plan.objections[host] = *objection;
        else if (const auto why = resting(context, host))
            plan.objections[host] = *why;

    // What only time or a command would change is assumed away; the objection names it.
    ClusterRecord record = context.record;
    for (HostRecord& host : record.hosts)
        if (plan.objections.count(host.host) != 0) host.seen = context.now.wall;
    Inventory inventory = context.inventory;
    inventory.policy.max_hosts_lost =
        std::max(inventory.policy.max_hosts_lost, static_cast<int>(facts.lost.size()));
    inventory.policy.peer_time = Duration{0};
    RecoveryContext assumed{inventory,     record, context.arming, context.now, context.packing,
                            context.marks, {}};
    assumed.arming.armed = true;
    if (static_cast<int>(facts.lost.size()) > context.inventory.policy.max_hosts_lost)
        for (const std::string& host : facts.lost)
            plan.objections.emplace(
                host, std::to_string(facts.lost.size()) + " hosts lost at once, the limit is " +
                          std::to_string(context.inventory.policy.max_hosts_lost));

    Situation situation;
    Answers answers(assumed, facts);
    for (const std::string& host : facts.lost)
        answers.events.push_back(
            HostReported{{host, HostState::Down, StateType::Hard, "dry run", {}, {}}});
    while (!answers.events.empty()) {
        const RecoveryEvent event = std::move(answers.events.front());
        answers.events.pop_front();
        RecoveryStep step = advance(situation, event, assumed);
        for (JournalEntry& entry : step.entries)
            if (worth_showing(entry)) plan.steps.push_back(std::move(entry));
        for (const RecoveryAction& action : step.actions) std::visit(answers, action);
    }
    return plan;
}

}  // namespace domkeeper
