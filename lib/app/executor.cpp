// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/executor.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "lib/app/executor_care.hpp"
#include "lib/app/executor_maintenance.hpp"
#include "lib/app/executor_shared.hpp"
#include "lib/app/fencing.hpp"
#include "lib/app/guest_signs.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/error.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr Duration inbox_poll{100};
/// A BMC's session takes up to a second or two on real hardware; reading holds nothing up.
constexpr Duration power_read_time{3'000};

/// What a task brings back: the event, and the proof where there is one.
struct Message {
    RecoveryEvent event;
    std::optional<ProofOfOff> proof;
};

/// What tasks share with the worker; they may outlive it.
struct Shared {
    Inventory inventory;
    WorkerPorts ports;
    FencingAuthority authority;
    Mailbox<Message> mailbox;

    Shared(const Inventory& given, const WorkerPorts& given_ports)
        : inventory(given),
          ports(given_ports),
          authority(given_ports.switches, given_ports.scheduler),
          mailbox(given_ports.scheduler) {}

    Instant mono() { return ports.scheduler.now().mono; }
    void post(RecoveryEvent event, std::optional<ProofOfOff> proof = std::nullopt) {
        mailbox.post({std::move(event), std::move(proof)});
    }
};

// ---- the effects, each in a task of its own ---------------------------------------------------

void run(Shared& shared, const LookAtSuspect& action) {
    const Host* host = shared.inventory.find_host(action.host);
    const auto reports =
        shared.ports.prober.look({{host->address, probe_ports(*host)}},
                                 Deadline{shared.mono() + shared.inventory.policy.look_time});
    const ProbeReport& report = reports.at(0);
    shared.post(
        SuspectLooked{action.incident, report.answered, report.asked, printable(report.evidence)});
}

void run(Shared& shared, const LookAtPeers& action) {
    std::vector<ProbeTarget> targets;
    std::vector<std::string> hosts;
    for (const Host& host : shared.inventory.hosts) {
        if (host.name == action.except) continue;
        hosts.push_back(host.name);
        targets.push_back({host.address, probe_ports(host)});
    }
    for (const std::string& witness : shared.inventory.policy.witnesses)
        targets.push_back({witness, {}});
    const auto reports = shared.ports.prober.look(
        targets, Deadline{shared.mono() + shared.inventory.policy.look_time});
    PeersLooked looked;
    looked.incident = action.incident;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        if (i < hosts.size())
            looked.answered[hosts[i]] = reports[i].answered;
        else
            looked.witnesses += reports[i].answered ? 1 : 0;
    }
    shared.post(std::move(looked));
}

void run(Shared& shared, const LookAtStorage& action) {
    StorageLooked looked{action.incident, {}};
    if (shared.ports.storages != nullptr) {
        looked.reports = shared.ports.storages->look(
            shared.inventory.storages, Deadline{shared.mono() + shared.inventory.policy.look_time});
    } else {
        for (const StorageNode& storage : shared.inventory.storages)
            looked.reports.push_back({storage.name, {}, false, "nothing here can look at it"});
    }
    shared.post(std::move(looked));
}

void run(Shared& shared, const Observe& action) {
    const Host* host = shared.inventory.find_host(action.host);
    Observed observed;
    observed.host = action.host;
    observed.began = shared.mono();
    try {
        observed.view =
            shared.ports.hypervisors.at(*host)->read_host(Deadline{observed.began + action.limit});
    } catch (const Error& error) {
        observed.why = printable(error.what());
    }
    shared.post(std::move(observed));
}

void run(Shared& shared, const ReadPower& action) {
    FenceOutcome outcome = shared.authority.confirm(
        action.host, fence_devices(shared.inventory, action.host, action.levels),
        Deadline{shared.mono() + power_read_time});
    const bool off = outcome.proof.has_value();
    const std::string text = off ? outcome.proof->evidence() : outcome.reason;
    const Coverage covers = off ? outcome.proof->coverage() : Coverage{};
    shared.post(PowerRead{action.host, off, printable(text), covers, action.levels},
                std::move(outcome.proof));
}

void run(Shared& shared, const Fence& action) {
    FenceOutcome outcome = shared.authority.fence(
        action.host, fence_devices(shared.inventory, action.host, {action.level}),
        Deadline{shared.mono() + shared.inventory.policy.fence_time});
    const bool off = outcome.proof.has_value();
    const std::string text = off ? outcome.proof->evidence() : outcome.reason;
    const Coverage covers = off ? outcome.proof->coverage() : Coverage{};
    shared.post(FenceEnded{action.incident, off, printable(text), covers},
                std::move(outcome.proof));
}

void run(Shared& shared, const AcceptConfirmation& action) {
    shared.post(
        FenceEnded{action.incident, true, printable(action.statement), Coverage::everything()},
        FencingAuthority::operator_confirmed(action.host, action.statement));
}

void run(Shared& shared, const Start& action, const ProofOfOff& proof) {
    const Host* host = shared.inventory.find_host(action.target);
    const Instant began = shared.mono();
    StartOutcome outcome = outcome_of([&]() -> StartOutcome {
        shared.ports.hypervisors.at(*host)->start_elsewhere(
            action.domain, proof, Deadline{began + shared.inventory.policy.start_time});
        return {StartResult::Ok, "started" + took(began, shared.mono())};
    });
    shared.post(StartEnded{action.incident, action.domain.name, action.target, outcome.result,
                           std::move(outcome.text)});
}

void run(Shared& shared, const AskGuest& action) {
    const Deadline deadline{shared.mono() + shared.inventory.policy.observe_time};
    const Host* host = shared.inventory.find_host(action.target);
    SignReport report =
        action.sign.by_agent()
            ? ask_agent(*shared.ports.hypervisors.at(*host), action.domain,
                        Deadline{deadline.at + agent_time})
            : report_of(shared.ports.prober.look({probe_of(action.sign)}, deadline).at(0));
    shared.post(GuestAsked{action.incident, action.domain.name, report.asked, report.answered,
                           std::move(report.text)});
}

void run(Shared& shared, const StopDomain& action) {
    DomainStopped stopped{action.incident, action.domain.name, action.target, false, {}};
    try {
        const Deadline deadline{shared.mono() + shared.inventory.policy.start_time};
        const auto hypervisor =
            shared.ports.hypervisors.at(*shared.inventory.find_host(action.target));
        if (const auto why = spared(*hypervisor, action.domain, deadline)) {
            stopped.text = "it was left alone: " + *why;
        } else {
            hypervisor->stop(action.domain, deadline);
            stopped.stopped = true;
        }
    } catch (const Error& error) {
        stopped.text = printable(error.what());
    }
    shared.post(std::move(stopped));
}

// ---- the worker -------------------------------------------------------------------------------

class Worker {
  public:
    Worker(const Inventory& inventory, const WorkerPorts& ports)
        : shared_(std::make_shared<Shared>(inventory, ports)),
          ports_(ports),
          runner_(inventory, ports),
          care_runner_(inventory, ports) {}

    void run_all() {
        situation_.next_incident = ports_.journal.next_incident();
        for (const MoveProgress& stale : ports_.journal.progress())
            ports_.journal.end_progress(stale.domain);
        const auto unfinished = ports_.journal.unfinished();
        if (!unfinished.empty()) refresh();
        // A domain that was being brought back counts for the recovery of its host.
        for (const Incident& incident : unfinished)
            if (is_care(incident))
                feed_care(CareTakenUp{incident, ports_.journal.entries(incident.id)});
        for (const Incident& incident : unfinished)
            if (!is_care(incident)) resume(incident);
        for (;;) {
            take_pending();
            tend_maintenance();
            if (situation_.idle() && maintenance_.idle() && care_.idle()) return;
            const Now now = ports_.scheduler.now();
            Instant until = now.mono + inbox_poll;
            const auto wake = next_wake(situation_);
            if (wake && *wake < until) until = *wake;
            const auto care_wake = next_wake(care_);
            if (care_wake && *care_wake < until) until = *care_wake;
            ports_.scheduler.wait_until(until, [&] {
                return !shared_->mailbox.empty() || runner_.has_mail() || care_runner_.has_mail();
            });
            for (Message& message : shared_->mailbox.take()) receive(message);
            const auto due = next_wake(situation_);
            if (due && *due <= ports_.scheduler.now().mono) feed(Tick{});
            for (const MaintenanceEvent& event : runner_.take_mail()) feed_maintenance(event);
            for (const CareEvent& event : care_runner_.take_mail()) feed_care(event);
            const auto care_due = next_wake(care_);
            if (care_due && *care_due <= ports_.scheduler.now().mono) feed_care(CareTick{});
        }
    }

  private:
    void resume(const Incident& incident) {
        auto entries = ports_.journal.entries(incident.id);
        for (const Maintenance& mark : ports_.journal.maintenance())
            if (mark.incident == incident.id)
                return feed_maintenance(MaintenanceResumed{incident, std::move(entries)});
        feed(Resumed{incident, std::move(entries)});
    }

    /// Orders are looked for with each turn, as reports are.
    void tend_maintenance() {
        const auto marks = ports_.journal.maintenance();
        const bool work = std::any_of(marks.begin(), marks.end(),
                                      [](const Maintenance& mark) { return mark.has_work(); });
        if (!work && maintenance_.idle()) return;
        if (maintenance_.idle()) refresh();
        feed_maintenance(MaintenanceTick{});
    }

    void feed_maintenance(const MaintenanceEvent& event) {
        MaintenanceContext context{shared_->inventory,
                                   record_,
                                   ports_.journal.maintenance(),
                                   {},
                                   {},
                                   ports_.arming(),
                                   situation_.next_incident,
                                   ports_.scheduler.now()};
        for (const auto& [host, host_case] : situation_.cases) {
            context.recovering.insert(host);
            // A fence of some disks alone leaves the rest of the host as it was.
            if (host_case.off && !host_case.returned && host_case.proved.is_everything())
                context.off.insert(host);
        }
        context.busy = care_.busy_hosts();
        const bool held = !maintenance_.moving().empty();
        MaintenanceStep step = advance_maintenance(maintenance_, event, context);
        const bool began = !step.opened.empty();
        situation_.next_incident += static_cast<IncidentId>(step.opened.size());
        // Where a domain is now is recorded first: a worker that is killed after an incident was
        // closed is not asked again.
        std::erase_if(step.actions, [&](const MaintenanceAction& action) {
            const auto* moved = std::get_if<RecordMove>(&action);
            if (moved != nullptr) begin(*moved);
            return moved != nullptr;
        });
        JournalBatch batch;
        batch.marks = std::move(step.marks);
        carry_out(step, std::move(batch));
        if (auto notes = runner_.take_notes(); !notes.empty())
            ports_.journal.append(std::move(notes));
        // A recovery may have waited for the moves, or has placed domains on a host that is to be
        // emptied now.
        if ((held || began) && !situation_.idle()) feed(Tick{});
    }

    void feed_care(const CareEvent& event, std::size_t events_done = 0) {
        CareContext context{shared_->inventory,
                            record_,
                            ports_.journal.maintenance(),
                            ports_.journal.holds(),
                            {},
                            {},
                            maintenance_.planned(),
                            ports_.arming(),
                            situation_.next_incident,
                            ports_.scheduler.now(),
                            ports_.packing,
                            situation_.placed()};
        for (const auto& [host, host_case] : situation_.cases) {
            context.recovering[host] = host_case.id;
            for (const auto& [name, domain] : host_case.domains)
                context.recovered[name] = host_case.id;
        }
        CareStep step = advance_care(care_, event, context);
        situation_.next_incident += static_cast<IncidentId>(step.opened.size());
        JournalBatch batch;
        batch.events_done = events_done;
        carry_out(step, std::move(batch));
        count_as_running(care_, record_, counted_);
    }

    void refresh() {
        record_ = ports_.records.read();
        counted_.clear();
        count_as_running(care_, record_, counted_);
    }

    void take_pending() {
        const auto pending = ports_.journal.pending_events();
        if (!pending.empty()) refresh();
        for (const HostEvent& event : pending)
            if (event.state == HostState::DomainFailed)
                feed_care(DomainReported{event}, 1);
            else
                feed(HostReported{event}, 1);
    }

    void receive(Message& message) {
        // The proof is kept before the engine hears of it, and thrown away with the first doubt.
        if (const auto* read = std::get_if<PowerRead>(&message.event))
            if (!read->off) proofs_.erase(read->host);
        // A recovery that stood still goes on with what was recorded meanwhile.
        if (std::holds_alternative<StorageLooked>(message.event)) refresh();
        if (message.proof) keep(*std::move(message.proof), message.event);
        feed(message.event);
    }

    /// A level that was fenced adds to what others proved; a new reading takes the place of all.
    void keep(ProofOfOff proof, const RecoveryEvent& event) {
        const auto held = proofs_.find(proof.host());
        if (held != proofs_.end() && std::holds_alternative<FenceEnded>(event))
            return held->second.add(proof);
        const std::string host = proof.host();
        proofs_.insert_or_assign(host, std::move(proof));
    }

    void feed(const RecoveryEvent& event, std::size_t events_done = 0) {
        const Now now = ports_.scheduler.now();
        const RecoveryContext context{
            shared_->inventory,
            record_,
            ports_.arming(),
            now,
            ports_.packing,
            ports_.journal.maintenance(),
            maintenance_.moving(),
            ports_.journal.fences_since(now.wall - fence_memory(shared_->inventory.policy)),
            ports_.journal.monitor_since(),
            care_.goals()};
        RecoveryStep step = advance(situation_, event, context);
        JournalBatch batch;
        batch.events_done = events_done;
        batch.fenced = std::move(step.fenced);
        batch.returns = std::move(step.returns);
        carry_out(step, std::move(batch));
    }

    /// `batch` holds what not every engine has to say.
    template <typename Step>
    void carry_out(Step& step, JournalBatch batch) {
        batch.opened = std::move(step.opened);
        batch.entries = std::move(step.entries);
        batch.closed = std::move(step.closed);
        // Nothing is begun before what is intended is on disk.
        if (!batch.empty()) ports_.journal.commit(batch);
        for (auto& action : step.actions) std::visit([&](auto& a) { begin(std::move(a)); }, action);
    }

    template <typename Action>
    auto begin(Action action) -> decltype(run(std::declval<Shared&>(), action)) {
        ports_.scheduler.spawn(
            [shared = shared_, action = std::move(action)] { run(*shared, action); });
    }

    void begin(Fence action) {
        if (action.first_proof) proofs_.erase(action.host);
        begin<Fence>(std::move(action));
    }

    void begin(Start action) {
        const auto proof = proofs_.find(action.lost_host);
        const auto gap = coverage_gap(
            proof == proofs_.end() ? Coverage{} : proof->second.coverage(), action.domain.xml);
        if (gap) {
            shared_->post(
                StartEnded{action.incident, action.domain.name, action.target, StartResult::Failed,
                           "no proof that " + action.lost_host + " is off is at hand: " + *gap});
            return;
        }
        ports_.scheduler.spawn([shared = shared_, action = std::move(action),
                                held = proof->second] { run(*shared, action, held); });
    }

    /// Those of the maintenance that are no concern of the recovery.
    template <typename Action>
    auto begin(Action action) -> decltype(std::declval<MaintenanceRunner&>().begin(action)) {
        runner_.begin(std::move(action));
    }

    /// Those of the care of domains.
    template <typename Action>
    auto begin(Action action) -> decltype(std::declval<CareRunner&>().begin(action)) {
        care_runner_.begin(std::move(action));
    }

    void begin(RecordPlace action) { begin(MoveRecord{action.domain, action.host}); }
    void begin(RecordMove action) { begin(MoveRecord{action.domain, action.host}); }

    void begin(MoveRecord action) {
        const TimePoint now = ports_.scheduler.now().wall;
        counted_.erase(action.domain);
        for (DomainRecord& domain : record_.domains)
            if (domain.name == action.domain) {
                domain.host = action.host;
                domain.state = DomainState::Running;
                domain.seen = now;
            }
        try {
            ports_.records.move_domain(action.domain, action.host, now);
        } catch (const Error& error) {
            ports_.notifier.notify("the record of " + action.domain + " on " + action.host +
                                   " could not be written: " + error.what());
        }
    }

    void begin(OrderEvacuation action) {
        Maintenance order;
        order.host = action.host;
        order.partial = true;
        order.who = "domkeeper";
        order.reason = action.reason;
        order.since = ports_.scheduler.now().wall;
        ports_.journal.order_maintenance(order);
        shared_->post(EvacuationOrdered{action.incident});
    }

    void begin(Notify action) { ports_.notifier.notify(action.text); }

    std::shared_ptr<Shared> shared_;
    WorkerPorts ports_;
    Situation situation_;
    ClusterRecord record_;
    std::map<std::string, ProofOfOff> proofs_;
    MaintenanceSituation maintenance_;
    MaintenanceRunner runner_;
    CareSituation care_;
    CareRunner care_runner_;
    std::set<std::string> counted_;  ///< domains that count as running since care brings them back
};

}  // namespace

Arming WorkerPorts::arming() const {
    return seat == nullptr ? journal.arming() : arming_here(journal, *seat);
}

WorkerEnd run_worker(const Inventory& inventory, const WorkerPorts& ports) {
    struct Held {
        Lock& lock;
        ~Held() { lock.release(); }
    };
    while (ports.lock.try_acquire()) {
        {
            const Held held{ports.lock};
            Worker(inventory, ports).run_all();
        }
        // What was pushed after the last look and before the release found the lock held.
        const auto marks = ports.journal.maintenance();
        if (ports.journal.pending_events().empty() &&
            std::none_of(marks.begin(), marks.end(),
                         [](const Maintenance& mark) { return mark.has_work(); }))
            return WorkerEnd::Finished;
    }
    return WorkerEnd::Busy;
}

}  // namespace domkeeper
