// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/scenario.hpp"
#include "lib/sim/sim_ports.hpp"

namespace domkeeper {
namespace {

/// Scenarios begin at a moment of no meaning, so that their logs never change.
constexpr TimePoint scenario_start{std::chrono::hours{24 * 365 * 50}};
constexpr Duration call_again{1'000};

class Run {
  public:
    Run(const Scenario& scenario, std::optional<long> crash_at, Stacks& stacks)
        : scenario_(scenario),
          scheduler_(scenario_start, stacks),
          world_(scenario.inventory, scheduler_) {
        world_.crash_at = crash_at ? std::set<long>{*crash_at} : scenario.crash_at;
        world_.on_crash = [this] {
            scheduler_.spawn_process([this] {
                scheduler_.sleep(call_again);
                call_worker();
            });
        };
        set_up();
    }

    ~Run() { scheduler_.stop(); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    ScenarioOutcome run() {
        for (const Scenario::Timed& timed : scenario_.timed)
            scheduler_.spawn_process([this, &timed] {
                scheduler_.sleep(timed.at);
                command(timed.words);
            });
        scheduler_.run_until(Instant{scenario_.until});
        if (scheduler_.stood_still())
            world_.broken("somebody turned in a circle while no time passed");
        return outcome();
    }

  private:
    /// The domain's definition with its disks, as libvirt would write them.
    std::string definition_of(const std::string& name) const {
        const auto found = scenario_.disks.find(name);
        if (found == scenario_.disks.end()) return "<domain/>";
        std::string out = "<domain><devices>";
        for (const std::string& source : found->second) {
            out += "<disk device='disk' type='";
            if (starts_with(source, "/"))
                out += "file'><source file='" + source;
            else if (starts_with(source, "e"))
                out += "block'><source dev='/dev/etherd/" + source;
            else
                out += "network'><source protocol='iscsi' name='" + source;
            out += "'/><target dev='vda'/></disk>";
        }
        return out + "</devices></domain>";
    }

    void set_up() {
        for (const auto& [name, sources] : scenario_.disks)
            world_.definitions[name] = definition_of(name);
        if (scenario_.disarmed)
            world_.arming = {false, std::nullopt, "root", *scenario_.disarmed, scenario_start};
        for (const Host& host : scenario_.inventory.hosts) {
            const auto& missing = scenario_.no_record;
            if (std::find(missing.begin(), missing.end(), host.name) != missing.end()) continue;
            const auto age = scenario_.record_age.find(host.name);
            const TimePoint seen =
                scenario_start - (age == scenario_.record_age.end() ? Duration{0} : age->second);
            records_.record.hosts.push_back({host.name, seen, gibibytes(16), std::nullopt, "sim"});
            const auto offers = scenario_.offers.find(host.name);
            if (offers != scenario_.offers.end())
                records_.record.hosts.back().offers = offers->second;
            const auto runs = scenario_.runs.find(host.name);
            if (runs == scenario_.runs.end()) continue;
            for (const auto& [name, size, vcpus] : runs->second)
                records_.record.domains.push_back({name, "uuid-" + name, host.name,
                                                   DomainState::Running, size, vcpus, true, seen,
                                                   definition_of(name)});
        }
        for (const auto& [host, domains] : scenario_.runs)
            for (const auto& [name, size, vcpus] : domains) {
                world_.vcpus[name] = vcpus;
                world_.sizes[name] = size;
                world_.put_domain(name, host, size);
            }
    }

    void call_worker() {
        worker_ = scheduler_.spawn_process([this] {
            try {
                const WorkerPorts ports{scheduler_, journal_,   records_, hypervisors_, switches_,
                                        prober_,    notifier_,  lock_,    mover_,       downtime_,
                                        {},         &storages_, &seat_};
                run_worker(scenario_.inventory, ports);
            } catch (const Error& error) {
                world_.log(std::string("worker   ends: ") + error.what());
            }
        });
    }

    void report(HostEvent event) {
        if (event.source == "monitor") event.monitor_since = world_.monitor_since;
        try {
            journal_.push_event(event, scheduler_.now().wall);
            call_worker();
        } catch (const Error& error) {
            world_.log(std::string("handler  refuses: ") + error.what());
        }
    }

    void order(const std::vector<std::string>& words);
    void order_balance() {
        Maintenance order;
        order.host = whole_cluster;
        order.phase = MaintenancePhase::Balancing;
        order.who = "root";
        order.since = scheduler_.now().wall;
        try {
            journal_.order_maintenance(order);
            call_worker();
        } catch (const Error& error) {
            world_.log(std::string("command  refuses: ") + error.what());
        }
    }
    void command(const std::vector<std::string>& words);
    void fault(const std::vector<std::string>& words);

    /// True when a host that no device can prove off does not answer at the end.
    bool somebody_lost_for_good() const {
        return std::any_of(scenario_.inventory.hosts.begin(), scenario_.inventory.hosts.end(),
                           [&](const Host& host) {
                               return host.fence.empty() && !world_.monitor_reaches(host.name);
                           });
    }

    /// True when the domain is on another host that can't be seen, where it may have run: then what
    /// stands still here may neither go on nor go away.
    bool other_end_unseen(const std::string& domain, const std::string& here) const {
        return std::any_of(world_.hosts.begin(), world_.hosts.end(), [&](const auto& item) {
            return item.first != here && item.second.domains.count(domain) != 0 &&
                   item.second.power && !world_.monitor_reaches(item.first);
        });
    }

    ScenarioOutcome outcome() {
        ScenarioOutcome result;
        for (const Domain& domain : scenario_.inventory.domains) {
            std::vector<std::string> hosts;
            std::vector<std::string> halves;
            for (const std::string& host : world_.running_on(domain.name))
                (world_.hosts.at(host).domains.at(domain.name).half ? halves : hosts)
                    .push_back(host);
            result.ran[domain.name] = join(hosts, " and ");
            result.final_state.push_back(
                domain.name + " runs " +
                (hosts.empty() ? "nowhere" : "on " + join(hosts, " and ")) +
                (halves.empty() ? "" : ", a half copy is left on " + join(halves, " and ")));
            // What stands still holds nobody up and writes nothing; where its host can be reached
            // it must be gone all the same.
            // While its source is silent and nothing can prove that off, it may be all that is
            // left.
            for (const std::string& host : halves)
                if (!somebody_lost_for_good() && !other_end_unseen(domain.name, host) &&
                    world_.hypervisor_answers(host) && !world_.hosts.at(host).was_silent &&
                    !world_.an_end_unknown(domain.name))
                    world_.broken("a half copy of " + domain.name + " is left on " + host);
            if (hosts.size() > 1 && world_.autostarted.count(domain.name) == 0)
                world_.broken(domain.name + " ends on " + join(hosts, " and "));
        }
        for (const Maintenance& mark : journal_.maintenance()) {
            // Of one that was fenced and is not back there is nothing to tell.
            if (mark.fenced && mark.who == marked_by_itself && !world_.monitor_reaches(mark.host))
                continue;
            result.final_state.push_back(
                mark.host +
                (mark.fenced ? " is out of use since it was fenced, " : " is in maintenance, ") +
                std::string(maintenance_phase_name(mark.phase)));
        }
        auto incidents = journal_.incidents(1000);
        std::reverse(incidents.begin(), incidents.end());
        for (const Incident& incident : incidents)
            result.final_state.push_back(
                "incident " + std::to_string(incident.id) + " " + incident.host +
                (incident.domain.empty() ? "" : "/" + incident.domain) + " " +
                std::string(incident_state_name(incident.state)) + ": " + incident.summary);
        for (const Incident& incident : incidents)
            for (JournalEntry& entry : journal_.entries(incident.id))
                result.entries.push_back(std::move(entry));
        result.incidents = std::move(incidents);
        result.log = world_.lines();
        result.broken = world_.broken_promises();
        result.crash_points = world_.crash_points;
        return result;
    }

    const Scenario& scenario_;
    SimScheduler scheduler_;
    World world_;
    SimJournal journal_{world_};
    SimRecords records_{world_};
    SimHypervisors hypervisors_{world_};
    SimSwitches switches_{world_};
    SimProber prober_{world_};
    SimNotifier notifier_{world_};
    SimLock lock_{world_};
    SimMover mover_{world_};
    SimDowntime downtime_{world_};
    SimStorages storages_{world_};
    SimSeat seat_{world_};
    SimScheduler::Process worker_;
};

void Run::order(const std::vector<std::string>& words) {
    const auto has = [&](const char* word) {
        return std::find(words.begin() + 2, words.end(), word) != words.end();
    };
    Maintenance order;
    if (words[0] == "balance") return order_balance();
    order.host = words[1];
    order.who = "root";
    order.since = scheduler_.now().wall;
    const auto marks = journal_.maintenance();
    const Maintenance* mark = find_mark(marks, words[1]);
    if (words[0] == "stop") {
        if (mark == nullptr) return;
        order = *mark;
        order.stop = true;
    } else if (words[0] == "return") {
        if (mark == nullptr) return world_.log("command  refuses: it is not in maintenance");
        order.phase = MaintenancePhase::Returning;
        order.stay = has("stay");
    } else {
        order.partial = has("partial");
        order.keep_spare = has("keep-spare");
    }
    try {
        journal_.order_maintenance(order);
        call_worker();
    } catch (const Error& error) {
        world_.log(std::string("command  refuses: ") + error.what());
    }
}

void Run::command(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    world_.log("at       " + join(words, " "));
    if (name == "report") {
        report({words[1], parse_host_state(words[2]).value_or(HostState::Up),
                parse_state_type(words[3]).value_or(StateType::Soft), "monitor",
                join({words.begin() + 4, words.end()}, " "), ""});
    } else if (name == "recover") {
        const bool confirmed = words.size() > 2 && words[2] == "confirmed";
        report({words[1], HostState::Down, StateType::Hard, "operator root", "",
                confirmed ? "confirmed off by root: plug pulled" : ""});
    } else if (name == "report-domain" || name == "report-domains") {
        HostEvent event{"",
                        HostState::DomainFailed,
                        parse_state_type(words[2]).value_or(StateType::Soft),
                        "monitor",
                        join({words.begin() + 3, words.end()}, " "),
                        ""};
        (name == "report-domain" ? event.domain : event.host) = words[1];
        report(event);
    } else if (name == "hold") {
        journal_.set_hold({words[1], std::nullopt, "root", "", scheduler_.now().wall});
    } else if (name == "unhold") {
        journal_.end_hold(words[1]);
    } else if (name == "check") {
        records_.read_cluster();
    } else if (name == "evacuate" || name == "return" || name == "stop" || name == "balance") {
        order(words);
    } else if (name == "worker") {
        call_worker();
    } else if (name == "kill-worker") {
        // One that was called while another held the lock has left again.
        if (const auto& holder = world_.lock_holder; holder && *holder)
            scheduler_.kill(holder);
        else if (worker_)
            scheduler_.kill(worker_);
    } else if (name == "arm") {
        world_.arming = {true, std::nullopt, "root", "", scheduler_.now().wall};
    } else if (name == "disarm") {
        const TimePoint now = scheduler_.now().wall;
        std::optional<TimePoint> until;
        if (words.size() > 1) until = now + parse_duration(words[1]).value_or(Duration{3'600'000});
        world_.arming = {false, until, "root", "maintenance", now};
    } else {
        fault(words);
    }
}

void Run::fault(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    if (name == "power-cut") {
        world_.power_cut(words[1]);
    } else if (name == "power-on") {
        world_.power_on(words[1]);
    } else if (name == "release") {
        world_.release(words[1]);
    } else if (name == "cut" || name == "join") {
        world_.set_reachable(words[1], name == "join");
    } else if (name == "hang" || name == "unhang") {
        world_.hosts.at(words[1]).hypervisor_hung = name == "hang";
        world_.hosts.at(words[1]).was_silent = true;
    } else if (name == "monitor-cut" || name == "monitor-join") {
        world_.set_monitor_cut(name == "monitor-cut");
    } else if (name == "witness") {
        world_.witnesses[words[1]] = words[2] == "up";
    } else if (name == "device") {
        SimDevice& device = world_.devices[words[1]];
        if (const auto mode = parse_device_mode(words[2]))
            device.mode = *mode;
        else
            device.off_delay = parse_duration(words[2]).value_or(device.off_delay);
    } else if (name == "storage") {
        // Nobody can be blamed for what nobody could ask.
        if (words[2] == "down" && world_.storages_unasked.count(words[1]) != 0)
            world_.storages_down[words[1]] = scheduler_.now().mono;
        if (words[2] == "down") world_.storages_down.emplace(words[1], scheduler_.now().mono);
        if (words[2] == "up") world_.storages_down.erase(words[1]);
        if (words[2] == "unasked")
            world_.storages_unasked.insert(words[1]);
        else
            world_.storages_unasked.erase(words[1]);
    } else if (name == "start-fails") {
        world_.hosts.at(words[1]).start_fails.insert(words.size() > 2 ? words[2] : "*");
    } else if (name == "start-takes") {
        world_.hosts.at(words[1]).start_time = parse_duration(words[2]).value_or(Duration{60});
    } else if (name == "crash" || name == "panic" || name == "io-error" || name == "shutdown" ||
               name == "destroy" || name == "suspend" || name == "autostart") {
        world_.befall(name, words[1]);
    } else if (name == "guest-hangs") {
        world_.hang_guest(words[1], true);
    } else if (name == "crashes") {
        world_.crashing[words[1]] =
            static_cast<int>(words.size() > 2 ? parse_integer(words[2]).value_or(1) : 1'000'000);
    } else if (name == "mute" || name == "unmute") {
        world_.mute_guest(words[1], words.size() < 3 ? std::string{} : words[2], name == "mute");
    } else if (name == "unstable") {
        world_.unstable.insert(words[1]);
    } else if (name == "state-unknown") {
        world_.state_unknown.insert(words[1]);
    } else if (name == "state-known") {
        world_.state_unknown.erase(words[1]);
    } else if (name == "pauses") {
        world_.pausing.insert(words[1]);
    } else if (name == "move-fails") {
        world_.hosts.at(words[1]).moves_fail.insert(words.size() > 2 ? words[2] : "*");
    } else if (name == "move-takes") {
        world_.move_time = parse_duration(words[1]).value_or(Duration{400});
    } else if (name == "unseen-disk") {
        world_.hosts.at(words[1]).unseen.insert(words[2]);
    } else if (name == "not-live") {
        world_.not_live.insert(words[1]);
    } else if (name == "not-pausable") {
        world_.not_pausable.insert(words[1]);
    } else if (name == "free") {
        world_.hosts.at(words[1]).memory_free = parse_bytes(words[2]);
    } else if (name == "migrate") {
        Bytes memory;
        for (auto& [host, state] : world_.hosts) {
            const auto there = state.domains.find(words[1]);
            if (there == state.domains.end()) continue;
            memory = there->second.memory;
            state.domains.erase(there);
            state.defined.erase(words[1]);
        }
        world_.put_domain(words[1], words[2], memory);
    } else if (name == "start-by-hand") {
        world_.start_by_hand(words[1], words[2]);
    } else if (name == "autostart-on") {
        world_.hosts.at(words[2]).defined[words[1]] = true;
    } else if (name == "snapshots") {
        world_.hosts.at(words[1]).snapshots = true;
    } else if (name == "monitor-starts") {
        world_.monitor_since = scheduler_.now().wall;
    } else if (name == "seat") {
        world_.no_seat = words[1] == "here" ? "" : "this node does not have the seat";
    } else if (name == "disk-full" || name == "disk-ok") {
        journal_.disk_full = name == "disk-full";
    }
}

}  // namespace

ScenarioOutcome run_scenario(const Scenario& scenario, std::optional<long> crash_at,
                             Stacks* stacks) {
    Stacks own;
    return Run(scenario, crash_at, stacks != nullptr ? *stacks : own).run();
}

}  // namespace domkeeper
