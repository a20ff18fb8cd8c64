// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/sim_ports.hpp"

#include <algorithm>
#include <cstdio>

#include "lib/core/error.hpp"

namespace domkeeper {
namespace {

constexpr Duration ping_time{1};
constexpr Duration read_time{5};
constexpr Duration device_time{5};
constexpr Duration write_time{1};

std::string entry_line(const JournalEntry& entry) {
    char head[64];
    std::snprintf(head, sizeof head, "%-8s %-7s ", std::string(entry_kind_name(entry.kind)).c_str(),
                  std::string(step_kind_name(entry.step)).c_str());
    std::string line = head + entry.host;
    if (!entry.domain.empty()) line += " " + entry.domain;
    if (!entry.target.empty()) line += " -> " + entry.target;
    return line + (entry.ok ? ": " : " (not ok): ") + entry.text;
}

class SimHypervisor : public Hypervisor {
  public:
    SimHypervisor(World& world, Host host) : world_(world), host_(std::move(host)) {}

    HostView read_host(Deadline deadline) override {
        world_.crash_point("read_host " + host_.name);
        reach(deadline);
        HostView view;
        view.memory_total = host_.memory.value_or(gibibytes(16));
        view.memory_free = world_.hosts.at(host_.name).memory_free;
        view.hypervisor = view.memory_free ? "Xen sim" : "sim";
        for (const auto& [name, domain] : world_.hosts.at(host_.name).domains) {
            DomainView seen;
            seen.name = name;
            seen.uuid = "uuid-" + name;
            seen.state =
                world_.state_unknown.count(name) == 0 ? domain.state : DomainState::Unknown;
            seen.memory = seen.memory_max = domain.memory;
            seen.persistent = true;
            seen.reason = domain.half ? "migration" : domain.reason;
            seen.autostart = domain.autostart;
            const auto vcpus = world_.vcpus.find(name);
            seen.vcpus = vcpus == world_.vcpus.end() ? 1 : vcpus->second;
            view.domains.push_back(seen);
        }
        for (const auto& [name, autostart] : world_.hosts.at(host_.name).defined) {
            if (world_.hosts.at(host_.name).domains.count(name) != 0) continue;
            DomainView off;
            off.name = name;
            off.uuid = "uuid-" + name;
            off.state = DomainState::ShutOff;
            off.persistent = true;
            off.autostart = autostart;
            view.domains.push_back(off);
        }
        world_.crash_point("read_host " + host_.name + " returning");
        return view;
    }

    DomainDefinition read_definition(const std::string& uuid, Deadline deadline) override {
        reach(deadline);
        return {"<domain>" + uuid + "</domain>", true};
    }

    void start_elsewhere(const DomainRecord& domain, const ProofOfOff&,
                         Deadline deadline) override {
        start(domain, true, deadline);
    }

    void start_again(const DomainRecord& domain, Deadline deadline) override {
        start(domain, false, deadline);
    }

    void start_over(const DomainRecord& domain, const ProofOfShutOff& proof,
                    Deadline deadline) override {
        if (proof.host() == host_.name || proof.uuid() != domain.uuid)
            world_.broken(domain.name + " is started elsewhere by the wrong word");
        start(domain, false, deadline);
    }

    void resume(const DomainRecord& domain, Deadline deadline) override {
        world_.crash_point("resume " + domain.name + " on " + host_.name);
        reach(deadline);
        const SimDomain* there = find(domain.name);
        if (there == nullptr || there->state != DomainState::Paused || there->reason != "I/O error")
            throw ProtocolError(host_.name + ": it does not stand still on an I/O error");
        world_.resume_domain(domain.name, host_.name);
        world_.crash_point("resume " + domain.name + " returning");
    }

    bool ask_agent(const DomainRecord& domain, Deadline deadline) override {
        reach(deadline);
        return world_.guest_works(domain.name, host_.name);
    }

    void keep_off(const DomainRecord& domain, Deadline deadline) override {
        world_.crash_point("keep off " + domain.name + " on " + host_.name);
        reach(deadline);
        if (SimDomain* there = find(domain.name)) there->autostart = false;
        world_.crash_point("keep off " + domain.name + " returning");
    }

    OffReading read_off(const DomainRecord& domain, Deadline deadline) override {
        reach(deadline);
        const SimDomain* there = find(domain.name);
        if (there == nullptr) return {};
        return {true, there->state, there->reason, there->autostart};
    }

    void stop(const DomainRecord& domain, Deadline deadline) override {
        const std::string call = "stop " + domain.name + " on " + host_.name;
        world_.crash_point(call);
        reach(deadline);
        if (const SimDomain* there = find(domain.name);
            there != nullptr && there->state != DomainState::ShutOff)
            world_.stop_domain(domain.name, host_.name);
        world_.crash_point(call + " returning");
    }

    void forget(const DomainRecord& domain, const std::function<void(const std::string&)>& keep,
                Deadline deadline) override {
        const std::string call = "forget " + domain.name + " on " + host_.name;
        world_.crash_point(call);
        reach(deadline);
        SimHost& host = world_.hosts.at(host_.name);
        const auto refuse_active = [&] {
            const SimDomain* there = find(domain.name);
            if (there != nullptr && (there->half || is_active(there->state)))
                throw AlreadyActive("domain is active");
        };
        refuse_active();
        const auto found = host.defined.find(domain.name);
        if (found == host.defined.end()) return;
        found->second = false;
        keep("<domain>" + domain.uuid + "</domain>");
        world_.crash_point(call + " kept");
        if (host.snapshots) throw ProtocolError(host_.name + ": cannot undefine: it has snapshots");
        refuse_active();
        world_.forget_definition(domain.name, host_.name);
        world_.crash_point(call + " returning");
    }

  private:
    SimDomain* find(const std::string& domain) {
        auto& domains = world_.hosts.at(host_.name).domains;
        const auto there = domains.find(domain);
        return there == domains.end() ? nullptr : &there->second;
    }

    void start(const DomainRecord& domain, bool lost_host, Deadline deadline) {
        const std::string call = "start " + domain.name + " on " + host_.name;
        world_.crash_point(call);
        reach(deadline);
        SimHost& host = world_.hosts.at(host_.name);
        if (const SimDomain* there = find(domain.name);
            there != nullptr && (there->half || is_active(there->state)))
            throw AlreadyActive("domain is already active");
        const bool fails = host.start_fails.count("*") != 0 ||
                           host.start_fails.count(domain.name) != 0 ||
                           world_.without_storage(domain.name);
        // The far side works on even if the caller is killed or has given up.
        const Duration takes = host.start_time;
        if (!fails && lost_host) world_.check_together(domain.name, host_.name);
        if (!fails && lost_host) world_.begin_start(domain.name, host_.name, domain.memory);
        if (!fails && !lost_host) world_.begin_restart(domain.name, host_.name, domain.memory);
        const Now now = world_.scheduler.now();
        world_.scheduler.sleep(std::min(takes, deadline.remaining(now.mono)));
        world_.crash_point(call + " returning");
        if (takes > deadline.remaining(now.mono))
            throw TimedOut(host_.name + ": no answer to the start in time");
        if (!world_.monitor_reaches(host_.name))
            // As the real one says it: only a call that never got there is known to have done
            // nothing.
            throw TimedOut(host_.name + ": connection broken; whether it was started is not known");
        if (fails) throw ProtocolError(host_.name + ": internal error: no start for you");
        world_.start_is_known(domain.name);
    }

    void reach(Deadline deadline) {
        world_.scheduler.sleep(read_time);
        if (world_.hypervisor_answers(host_.name)) return;
        world_.scheduler.sleep_until(deadline.at);
        throw TimedOut("no answer in time");
    }

    World& world_;
    Host host_;
};

class SimSwitch : public PowerSwitch {
  public:
    SimSwitch(World& world, FenceDevice device) : world_(world), name_(std::move(device.name)) {}

    PowerState read(Deadline deadline) override {
        world_.crash_point("read " + name_);
        answer(deadline);
        const SimHost& host = world_.hosts.at(device().host);
        const bool on = device().covers.is_everything()
                            ? host.power
                            : !Coverage::of_disks(host.cut_disks).includes(device().covers);
        world_.crash_point("read " + name_ + " returning");
        if (device().mode == DeviceMode::SaysOn) return PowerState::On;
        return on ? PowerState::On : PowerState::Off;
    }

    void command(PowerCommand command, Deadline deadline) override {
        world_.crash_point("command " + name_);
        answer(deadline);
        if (command == PowerCommand::On && device().lets_itself_in)
            throw UsageError("only the host itself can register its key");
        if (command == PowerCommand::On)
            world_.command_on(name_);
        else
            world_.command_off(name_);
        if (device().mode == DeviceMode::Dies) device().mode = DeviceMode::Silent;
        world_.crash_point("command " + name_ + " returning");
    }

    Coverage coverage() const override { return world_.devices.at(name_).covers; }

  private:
    SimDevice& device() { return world_.devices.at(name_); }

    void answer(Deadline deadline) {
        world_.scheduler.sleep(device_time);
        if (world_.monitor_cut || device().mode == DeviceMode::Silent) {
            world_.scheduler.sleep_until(deadline.at);
            throw TimedOut("no answer in time");
        }
        if (device().mode == DeviceMode::Denied) throw Denied("password refused");
        if (device().mode == DeviceMode::Garbage)
            throw ProtocolError("power reading 7 is none that is documented");
    }

    World& world_;
    std::string name_;
};

}  // namespace

// ---- journal ----------------------------------------------------------------------------------

IncidentId SimJournal::next_incident() {
    return static_cast<IncidentId>(incidents_.size()) + 1;
}

void SimJournal::commit(const JournalBatch& batch) {
    world_.crash_point("journal");
    world_.scheduler.sleep(write_time);
    if (disk_full) throw SystemError("journal.db: no space left on device");
    if (world_.scheduler.current_process() != world_.lock_holder) {
        world_.broken("a worker without the lock writes the journal");
        throw SystemError("journal.db: written by two");
    }
    for (const Incident& incident : batch.opened) incidents_.push_back(incident);
    for (const JournalEntry& entry : batch.entries) {
        entries_.push_back(entry);
        if (entry.kind == EntryKind::Refusal && !entry.domain.empty())
            world_.given_up.insert(entry.domain);
        world_.log(entry_line(entry));
    }
    for (const Incident& closed : batch.closed) {
        Incident& kept = incidents_.at(static_cast<std::size_t>(closed.id - 1));
        kept.closed = closed.closed;
        kept.state = closed.state;
        kept.summary = closed.summary;
        if (kept.domain.empty()) world_.end_fencing(kept.host);
    }
    pending_.erase(pending_.begin(),
                   pending_.begin() + static_cast<std::ptrdiff_t>(batch.events_done));
    for (const MarkChange& change : batch.marks) {
        const auto mark = std::find_if(marks_.begin(), marks_.end(),
                                       [&](const auto& m) { return m.host == change.host; });
        if (mark == marks_.end()) continue;
        if (change.taken_in) {
            mark->fenced = false;
            world_.trust(mark->host);
        }
        if (change.remove && mark->phase == change.was) {
            marks_.erase(mark);
            continue;
        }
        mark->incident = change.incident;
        mark->domains = change.domains;
        if (mark->phase != change.was) continue;
        mark->phase = change.phase;
        if (change.phase == MaintenancePhase::Held) mark->stop = false;
    }
    for (const FencedHost& fenced : batch.fenced) mark_fenced(fenced);
    for (const ReturnOrder& order : batch.returns)
        for (Maintenance& mark : marks_)
            if (mark.host == order.host && mark.fenced && mark.phase == MaintenancePhase::Held) {
                mark.phase = MaintenancePhase::Returning;
                mark.stop = false;
                mark.stay = order.stay;
            }
    world_.crash_point("journal returning");
}

std::vector<Incident> SimJournal::incidents(int newest) {
    std::vector<Incident> found(incidents_.rbegin(), incidents_.rend());
    if (found.size() > static_cast<std::size_t>(newest))
        found.resize(static_cast<std::size_t>(newest));
    return found;
}

std::optional<Incident> SimJournal::incident(IncidentId id) {
    if (id < 1 || id > static_cast<IncidentId>(incidents_.size())) return std::nullopt;
    return incidents_[static_cast<std::size_t>(id - 1)];
}

std::vector<Incident> SimJournal::unfinished() {
    std::vector<Incident> found;
    for (const Incident& incident : incidents_)
        if (incident.state == IncidentState::Open) found.push_back(incident);
    return found;
}

std::vector<JournalEntry> SimJournal::entries(IncidentId id) {
    std::vector<JournalEntry> found;
    for (const JournalEntry& entry : entries_)
        if (entry.incident == id) found.push_back(entry);
    return found;
}

std::vector<JournalEntry> SimJournal::loose_entries(int newest) {
    std::vector<JournalEntry> found = entries(0);
    std::reverse(found.begin(), found.end());
    if (found.size() > static_cast<std::size_t>(newest))
        found.resize(static_cast<std::size_t>(newest));
    return found;
}

void SimJournal::order_maintenance(const Maintenance& order) {
    if (disk_full) throw SystemError("journal.db: no space left on device");
    world_.marked.insert(order.host);
    const auto mark = std::find_if(marks_.begin(), marks_.end(),
                                   [&](const auto& m) { return m.host == order.host; });
    if (mark == marks_.end()) {
        marks_.push_back(order);
        return;
    }
    Maintenance kept = order;
    kept.incident = mark->incident;
    kept.domains = mark->domains;
    kept.since = mark->since;
    kept.fenced = mark->fenced;
    *mark = kept;
}

std::vector<JournalEntry> SimJournal::domain_entries(const std::string& domain, TimePoint since) {
    world_.crash_point("history");
    std::vector<JournalEntry> found;
    for (const JournalEntry& entry : entries_)
        if (entry.incident != 0 && entry.domain == domain && entry.at >= since &&
            incidents_.at(static_cast<std::size_t>(entry.incident - 1)).domain == domain)
            found.push_back(entry);
    return found;
}

void SimJournal::set_hold(const DomainHold& hold) {
    end_hold(hold.domain);
    holds_.push_back(hold);
}

bool SimJournal::end_hold(const std::string& domain) {
    return std::erase_if(holds_, [&](const DomainHold& h) { return h.domain == domain; }) != 0;
}

void SimJournal::push_event(const HostEvent& event, TimePoint) {
    if (disk_full) throw SystemError("journal.db: no space left on device");
    if (event.monitor_since) monitor_since_ = event.monitor_since;
    pending_.push_back(event);
}

std::vector<HostEvent> SimJournal::pending_events() {
    return pending_;
}

// ---- record -----------------------------------------------------------------------------------

ClusterRecord SimRecords::read() {
    world_.crash_point("record");
    return record;
}

/// As check_cluster does it: what hosts in reach show now.
void SimRecords::read_cluster() {
    const TimePoint now = world_.scheduler.now().wall;
    for (HostRecord& host : record.hosts) {
        const SimHost& there = world_.hosts.at(host.host);
        if (!world_.hypervisor_answers(host.host)) continue;
        host.seen = now;
        for (DomainRecord& domain : record.domains) {
            const auto shown = there.domains.find(domain.name);
            const bool active = shown != there.domains.end() && !shown->second.half &&
                                is_active(shown->second.state);
            if (active) {
                domain.host = host.host;
                domain.state = shown->second.state;
                domain.seen = now;
            } else if (domain.host == host.host) {
                domain.state = DomainState::ShutOff;
            }
        }
    }
}

void SimRecords::write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) {
    record.hosts.push_back(host);
    record.domains.insert(record.domains.end(), domains.begin(), domains.end());
}

void SimRecords::move_domain(const std::string& name, const std::string& host, TimePoint seen) {
    world_.crash_point("record of " + name);
    world_.check_place(name, host);
    for (DomainRecord& domain : record.domains)
        if (domain.name == name) {
            domain.host = host;
            domain.seen = seen;
            domain.state = DomainState::Running;
        }
}

// ---- the rest ---------------------------------------------------------------------------------

std::shared_ptr<Hypervisor> SimHypervisors::at(const Host& host) {
    return std::make_shared<SimHypervisor>(world_, host);
}

std::unique_ptr<PowerSwitch> SimSwitches::open(const FenceDevice& device) {
    return std::make_unique<SimSwitch>(world_, device);
}

bool SimProber::answers(const std::string& address) const {
    const auto witness = world_.witnesses.find(address);
    if (witness != world_.witnesses.end()) return witness->second && !world_.monitor_cut;
    for (const Host& host : world_.inventory.hosts)
        if (host.address == address) return world_.monitor_reaches(host.name);
    return world_.guest_answers(address);
}

std::vector<ProbeReport> SimProber::look(const std::vector<ProbeTarget>& targets,
                                         Deadline deadline) {
    world_.crash_point("look");
    const auto silent = [&] {
        return std::any_of(targets.begin(), targets.end(),
                           [&](const ProbeTarget& t) { return !answers(t.address); });
    };
    world_.scheduler.sleep(ping_time);
    // Like the real one: as long as somebody is silent the look goes on to its deadline.
    while (silent() && !deadline.passed(world_.scheduler.now().mono))
        world_.scheduler.sleep_until(
            std::min(deadline.at, world_.scheduler.now().mono + Duration{100}));
    std::vector<ProbeReport> reports;
    for (const ProbeTarget& target : targets) {
        const bool is_answering = answers(target.address);
        reports.push_back({is_answering, is_answering ? "ping" : "no answer", true});
    }
    world_.crash_point("look returning");
    return reports;
}

std::vector<StorageReport> SimStorages::look(const std::vector<StorageNode>&, Deadline deadline) {
    world_.crash_point("look at storage");
    world_.scheduler.sleep(read_time);
    auto reports = world_.storage_reports();
    // Like the real one: silence lasts to the deadline.
    if (std::any_of(reports.begin(), reports.end(), [](const auto& r) { return !r.down.empty(); }))
        world_.scheduler.sleep_until(deadline.at);
    world_.crash_point("look at storage returning");
    return reports;
}

bool SimLock::try_acquire() {
    world_.crash_point("lock");
    const auto self = world_.scheduler.current_process();
    SimScheduler::Process& holder = world_.lock_holder;
    if (holder && *holder && holder != self) return false;
    holder = self;
    return true;
}

void SimLock::release() {
    // A killed worker unwinds here only when its turn comes, and another one may have it by then.
    if (world_.scheduler.current_process() == world_.lock_holder) world_.lock_holder.reset();
}

}  // namespace domkeeper
