// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/executor_care.hpp"

#include <algorithm>
#include <utility>

#include "lib/app/fencing.hpp"
#include "lib/app/guest_signs.hpp"
#include "lib/app/off_witness.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// A host that serves others is slow to answer; who is silent for so long is silent.
constexpr int patience = 3;
constexpr Duration power_time{3'000};
/// Over the deadline that a call was given, before its task is left behind.
constexpr Duration grace{500};

}  // namespace

/// What tasks share with the worker; they may outlive it.
struct CareRunner::Shared {
    Inventory inventory;
    WorkerPorts ports;
    FencingAuthority authority;
    Mailbox<CareEvent> mailbox;
    std::vector<LookAround> looks;                ///< asked for; under the scheduler's lock
    std::map<IncidentId, ProofOfShutOff> proofs;  ///< under the scheduler's lock

    Shared(const Inventory& given, const WorkerPorts& given_ports)
        : inventory(given),
          ports(given_ports),
          authority(given_ports.switches, given_ports.scheduler),
          mailbox(given_ports.scheduler) {}

    Instant mono() { return ports.scheduler.now().mono; }
    void post(CareEvent event) { mailbox.post(std::move(event)); }
};

namespace {

/// What the readers of one look share; a late one may outlive it.
struct Look {
    LookedAround seen;     ///< under the scheduler's lock
    std::size_t open = 0;  ///< parts that are not done; the same
};

}  // namespace

CareRunner::CareRunner(const Inventory& inventory, const WorkerPorts& ports)
    : shared_(std::make_shared<Shared>(inventory, ports)) {}

bool CareRunner::has_mail() const {
    return !shared_->mailbox.empty();
}

std::deque<CareEvent> CareRunner::take_mail() {
    return shared_->mailbox.take();
}

void CareRunner::begin(LookAround action) {
    bool first = false;
    shared_->ports.scheduler.update([&] {
        first = shared_->looks.empty();
        shared_->looks.push_back(std::move(action));
    });
    // Whoever asks before it begins is served by the same look.
    if (!first) return;
    shared_->ports.scheduler.spawn([shared = shared_] {
        Scheduler& scheduler = shared->ports.scheduler;
        const Inventory& inventory = shared->inventory;
        std::vector<LookAround> asked;
        scheduler.update([&] { asked.swap(shared->looks); });
        const auto look = std::make_shared<Look>();
        look->seen.began = shared->mono();
        const Deadline deadline{look->seen.began + inventory.policy.observe_time * patience};
        look->open = inventory.hosts.size() + (inventory.storages.empty() ? 0U : 1U);
        for (const Host& host : inventory.hosts)
            look->seen.hosts[host.name] = {std::nullopt, "no answer in time"};
        for (const Host& host : inventory.hosts)
            scheduler.spawn([shared, look, host, deadline] {
                HostReading read;
                bool off = false;
                try {
                    read.view = shared->ports.hypervisors.at(host)->read_host(deadline);
                } catch (const Error& error) {
                    read.why = printable(error.what());
                    // A host without power runs nothing: reading it does no harm.
                    const auto devices = fence_devices(shared->inventory, host.name, {0});
                    if (!devices.empty()) {
                        const FenceOutcome power = shared->authority.confirm(
                            host.name, devices, Deadline{shared->mono() + power_time});
                        off = power.proof && power.proof->coverage().is_everything();
                    }
                }
                shared->ports.scheduler.update([&] {
                    look->seen.hosts[host.name] = std::move(read);
                    if (off) look->seen.off.insert(host.name);
                    --look->open;
                });
            });
        if (!inventory.storages.empty())
            scheduler.spawn([shared, look] {
                std::vector<StorageReport> reports;
                if (shared->ports.storages != nullptr)
                    reports = shared->ports.storages->look(
                        shared->inventory.storages,
                        Deadline{shared->mono() + shared->inventory.policy.look_time});
                shared->ports.scheduler.update([&] {
                    look->seen.storages = std::move(reports);
                    --look->open;
                });
            });
        scheduler.wait_until(deadline.at + power_time + grace, [&] { return look->open == 0; });
        LookedAround seen;
        scheduler.update([&] { seen = look->seen; });
        for (const LookAround& each : asked) {
            LookedAround event = seen;
            event.incident = each.incident;
            try {
                if (!each.domain.empty())
                    event.history = shared->ports.journal.domain_entries(
                        each.domain, scheduler.now().wall - inventory.policy.restart_window);
            } catch (const Error& error) {
                // Without it nobody can say how often it was tried: that is no view at all.
                for (auto& [host, reading] : event.hosts)
                    reading = {std::nullopt, printable(error.what())};
            }
            shared->post(std::move(event));
        }
    });
}

void CareRunner::begin(AskSign action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        const Policy& policy = shared->inventory.policy;
        const bool by_agent = action.sign.by_agent();
        std::vector<ProbeTarget> targets;
        for (const GuestSign& other : action.others) targets.push_back(probe_of(other));
        for (const std::string& witness : policy.witnesses) targets.push_back({witness, {}});
        if (!by_agent) targets.push_back(probe_of(action.sign));
        std::vector<ProbeReport> reports;
        if (!targets.empty())
            reports =
                shared->ports.prober.look(targets, Deadline{shared->mono() + policy.observe_time});
        const SignReport own =
            by_agent
                ? ask_agent(
                      *shared->ports.hypervisors.at(listed_host(shared->inventory, action.host)),
                      action.domain, Deadline{shared->mono() + policy.observe_time + agent_time})
                : report_of(reports.back());
        SignAsked asked;
        asked.incident = action.incident;
        asked.asked = own.asked;
        asked.answered = own.answered;
        asked.text = own.text;
        asked.others = static_cast<int>(action.others.size());
        for (std::size_t i = 0; i < action.others.size() + policy.witnesses.size(); ++i)
            (i < action.others.size() ? asked.others_answered : asked.witnesses) +=
                reports[i].answered ? 1 : 0;
        shared->post(std::move(asked));
    });
}

/// Does it and says how it ended; throws as the hypervisor does.
StartOutcome CareRunner::act(Shared& shared, const ActOn& action) {
    const Instant began = shared.mono();
    const Deadline deadline{began + shared.inventory.policy.start_time};
    const auto hypervisor =
        shared.ports.hypervisors.at(listed_host(shared.inventory, action.target));
    std::string done;
    switch (action.act) {
        case CareAct::Stop: {
            // The look on which this was decided is seconds old.
            if (const auto why = spared(*hypervisor, action.domain, deadline))
                return {StartResult::Failed, "left alone: " + *why, true};
            hypervisor->stop(action.domain, deadline);
            done = "ended";
            break;
        }
        case CareAct::Resume:
            hypervisor->resume(action.domain, deadline);
            done = "it goes on";
            break;
        case CareAct::StartAgain:
            hypervisor->start_again(action.domain, deadline);
            done = "started";
            break;
        case CareAct::KeepOff: {
            OffWord word = OffWitness::ask(*hypervisor, action.domain, deadline);
            const bool proved = word.proof.has_value();
            shared.ports.scheduler.update([&] {
                shared.proofs.erase(action.incident);
                if (proved) shared.proofs.emplace(action.incident, std::move(*word.proof));
            });
            return {proved ? StartResult::Ok : StartResult::Failed, std::move(word.text)};
        }
        case CareAct::StartOver: {
            std::optional<ProofOfShutOff> proof;
            shared.ports.scheduler.update([&] {
                const auto found = shared.proofs.find(action.incident);
                if (found == shared.proofs.end()) return;
                proof = std::move(found->second);
                // One word allows one start.
                shared.proofs.erase(found);
            });
            if (!proof) throw UsageError("no word of " + action.domain.host + " is at hand");
            hypervisor->start_over(action.domain, *proof, deadline);
            done = "started";
            break;
        }
    }
    return {StartResult::Ok, done + took(began, shared.mono())};
}

void CareRunner::begin(ActOn action) {
    shared_->ports.scheduler.spawn([shared = shared_, action = std::move(action)] {
        StartOutcome outcome = outcome_of([&] { return act(*shared, action); });
        shared->post(Acted{action.incident, action.act, action.target, outcome.result,
                           std::move(outcome.text), outcome.left_alone});
    });
}

void CareRunner::begin(Alarm action) {
    shared_->ports.notifier.notify(action.text);
}

}  // namespace domkeeper
