// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/app/executor.hpp"
#include "lib/sim/world.hpp"

namespace domkeeper {

/// The journal in memory; it outlives simulated processes as a file would.
class SimJournal : public Journal {
  public:
    explicit SimJournal(World& world) : world_(world) {}

    IncidentId next_incident() override;
    void commit(const JournalBatch& batch) override;
    std::vector<Incident> incidents(int newest) override;
    std::optional<Incident> incident(IncidentId id) override;
    std::vector<Incident> unfinished() override;
    std::vector<JournalEntry> entries(IncidentId id) override;
    std::vector<JournalEntry> loose_entries(int newest) override;
    void push_event(const HostEvent& event, TimePoint at) override;
    std::vector<HostEvent> pending_events() override;
    std::vector<Maintenance> maintenance() override { return marks_; }
    void order_maintenance(const Maintenance& order) override;
    std::vector<MoveProgress> progress() override { return {}; }
    void write_progress(const MoveProgress&) override {}
    void end_progress(const std::string&) override {}
    std::vector<PastFence> fences_since(TimePoint since) override;
    std::optional<TimePoint> monitor_since() override { return monitor_since_; }
    void keep_definition(const KeptDefinition& definition) override;
    std::vector<KeptDefinition> kept_definitions(IncidentId incident) override;
    std::vector<JournalEntry> domain_entries(const std::string& domain, TimePoint since) override;
    std::vector<DomainHold> holds() override { return holds_; }
    void set_hold(const DomainHold& hold) override;
    bool end_hold(const std::string& domain) override;
    Arming arming() override { return world_.arming; }
    void set_arming(const Arming& arming) override { world_.arming = arming; }

    bool disk_full = false;

  private:
    void mark_fenced(const FencedHost& fenced);

    World& world_;
    std::vector<KeptDefinition> kept_;
    std::optional<TimePoint> monitor_since_;
    std::vector<Incident> incidents_;
    std::vector<JournalEntry> entries_;
    std::vector<HostEvent> pending_;
    std::vector<Maintenance> marks_;
    std::vector<DomainHold> holds_;
};

class SimRecords : public RecordStore {
  public:
    explicit SimRecords(World& world) : world_(world) {}
    ClusterRecord read() override;
    void write_host(const HostRecord& host, const std::vector<DomainRecord>& domains) override;
    void move_domain(const std::string& name, const std::string& host, TimePoint seen) override;

    /// check_cluster runs once.
    void read_cluster();

    ClusterRecord record;

  private:
    World& world_;
};

class SimHypervisors : public Hypervisors {
  public:
    explicit SimHypervisors(World& world) : world_(world) {}
    std::shared_ptr<Hypervisor> at(const Host& host) override;

  private:
    World& world_;
};

class SimSwitches : public PowerSwitches {
  public:
    explicit SimSwitches(World& world) : world_(world) {}
    std::unique_ptr<PowerSwitch> open(const FenceDevice& device) override;

  private:
    World& world_;
};

class SimProber : public Prober {
  public:
    explicit SimProber(World& world) : world_(world) {}
    std::vector<ProbeReport> look(const std::vector<ProbeTarget>& targets,
                                  Deadline deadline) override;

  private:
    bool answers(const std::string& address) const;
    World& world_;
};

class SimStorages : public StorageProber {
  public:
    explicit SimStorages(World& world) : world_(world) {}
    std::vector<StorageReport> look(const std::vector<StorageNode>& storages,
                                    Deadline deadline) override;

  private:
    World& world_;
};

/// Moves as libvirt does them when this process leads: two ends, a moment in which both stand
/// still, and whatever is left over when this process is killed.
class SimMover : public Mover {
  public:
    explicit SimMover(World& world) : world_(world) {}
    MoveFacts facts(const Host& host, const DomainView& domain, Deadline deadline) override;
    std::map<std::string, DeviceSight> sights(const Host& host,
                                              const std::vector<std::string>& devices,
                                              Deadline deadline) override;
    std::string move(const DomainRecord& domain, const Host& from, const Host& to, MoveWay way,
                     const MoveWatch& watch, Deadline deadline) override;
    SideState look(const DomainRecord& domain, const Host& host, Deadline deadline) override;
    void clean_up(const DomainRecord& domain, const Host& host, CleanUp what,
                  Deadline deadline) override;

  private:
    bool answers(const std::string& host) const;
    void reach(const std::string& host, Deadline deadline);
    void restart(const DomainRecord& domain, const Host& from, const Host& to, Deadline deadline);
    void send(const DomainRecord& domain, const Host& from, const Host& to, const MoveWatch& watch,
              Deadline deadline);
    World& world_;
};

class SimDowntime : public Downtime {
  public:
    explicit SimDowntime(World& world) : world_(world) {}
    std::string begin(const std::string& host, TimePoint, Duration, const std::string&,
                      const std::string&) override {
        world_.log("monitor  downtime of " + host + " begins");
        return {};
    }
    std::string end(const std::string& host, TimePoint) override {
        world_.log("monitor  downtime of " + host + " ends");
        return {};
    }

  private:
    World& world_;
};

class SimSeat : public Seat {
  public:
    explicit SimSeat(World& world) : world_(world) {}
    std::string objection() override { return world_.no_seat; }

  private:
    World& world_;
};

class SimNotifier : public Notifier {
  public:
    explicit SimNotifier(World& world) : world_(world) {}
    void notify(const std::string& text) override { world_.log("notify   " + text); }

  private:
    World& world_;
};

/// Freed when its process dies, as the system does with a file lock.
class SimLock : public Lock {
  public:
    explicit SimLock(World& world) : world_(world) {}
    bool try_acquire() override;
    void release() override;

  private:
    World& world_;
};

}  // namespace domkeeper
