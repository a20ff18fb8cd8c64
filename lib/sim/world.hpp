// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/power.hpp"
#include "lib/core/record.hpp"
#include "lib/core/storage_health.hpp"
#include "lib/sim/sim_scheduler.hpp"

namespace domkeeper {

/// How a simulated fence device behaves.
enum class DeviceMode {
    Good,
    Silent,   ///< no answer until the deadline
    Stuck,    ///< takes the command and changes nothing
    Garbage,  ///< answers what can't be trusted
    Denied,   ///< refuses the login
    SaysOn,   ///< switches, and reads on for ever
    Dies,     ///< goes silent with the first command, which still works
};

/// "good", "silent", ...; nullopt for any other word.
std::optional<DeviceMode> parse_device_mode(std::string_view word);

struct SimDevice {
    std::string host;
    DeviceMode mode = DeviceMode::Good;
    Duration off_delay{20};       ///< from the command to the loss of power
    Coverage covers;              ///< everything: it switches the power
    bool lets_itself_in = false;  ///< only the host can end the cut: by its key (fence_iscsi)
};

struct SimDomain {
    DomainState state = DomainState::Running;
    Bytes memory;
    bool half = false;     ///< one end of a move that has not come to its end
    bool busy = false;     ///< its move is under way
    std::string reason{};  ///< of the state, in libvirt's words
    bool autostart = false;
    DomainState before_move = DomainState::Running;  ///< of a source that stands still for its move
};

struct SimHost {
    bool power = true;
    std::optional<Instant> powered_on_at;  ///< since the start of the scenario
    bool reachable = true;                 ///< from the monitoring node
    bool hypervisor_hung = false;          ///< answers ping, but no libvirt
    bool was_silent = false;               ///< cut off or hung at some time
    std::optional<Instant> last_change;    ///< of whether the monitoring node reaches it
    std::map<std::string, SimDomain> domains;
    std::map<std::string, bool> defined;  ///< persistent domains -> started with the host
    bool snapshots = false;               ///< what is defined there can't be undefined
    std::set<std::string> start_fails;    ///< domains, or "*"
    std::set<std::string> cut_disks;      ///< units from which a storage fence cut it off
    std::optional<Instant> released_at;   ///< some of them came back then
    Duration start_time{60};
    std::set<std::string> moves_fail;  ///< domains that can't be received, or "*"
    std::set<std::string> mute;        ///< domains whose guest does not answer there
    std::set<std::string> unseen;      ///< domains whose disks it does not see
    std::optional<Bytes> memory_free;  ///< what the hypervisor says; empty: it does not
};

/// The truth: hosts, domains, devices, networks. It knows what the worker can't see, logs what
/// happens, and notes each broken promise.
class World {
  public:
    World(Inventory inventory, SimScheduler& scheduler);

    /// True when one of the domain's disks is on storage that is down.
    bool without_storage(const std::string& domain) const;
    /// What a look at all storage nodes shows now.
    std::vector<StorageReport> storage_reports() const;

    // what faults and people do
    void power_cut(const std::string& host);
    void power_on(const std::string& host);
    /// The storage forgets from what it cut the host off, as a target that restarts does.
    void release(const std::string& host);
    /// Runs on `host` from now on, unseen by the record.
    void put_domain(const std::string& domain, const std::string& host, Bytes memory);
    /// Somebody starts it there, unless he sees that it is active somewhere.
    void start_by_hand(const std::string& domain, const std::string& host);
    /// Its guest does not answer until it is started anew.
    void hang_guest(const std::string& domain, bool hangs);
    /// Its guest does not give its sign on the host, or, with an empty name, on any.
    void mute_guest(const std::string& domain, const std::string& host, bool mute);
    /// Something happens to the domain where it is: "crash", "panic", "io-error", "shutdown",
    /// "destroy" (by hand), "suspend" (by hand), "autostart".
    void befall(const std::string& what, const std::string& domain);

    // what the ports do
    bool monitor_reaches(const std::string& host) const;
    /// And its hypervisor answers.
    bool hypervisor_answers(const std::string& host) const;
    void set_reachable(const std::string& host, bool reachable);
    void set_monitor_cut(bool cut);
    /// The beginning of a start; the domain is there at once and runs after the host's start time.
    void begin_start(const std::string& domain, const std::string& host, Bytes memory);
    /// Of a start, which must not part it from the rest of its group.
    void check_together(const std::string& domain, const std::string& host);
    /// Somebody ends it at once.
    void stop_domain(const std::string& domain, const std::string& host);
    /// Care starts it again where it ran, or by its host's word elsewhere.
    void begin_restart(const std::string& domain, const std::string& host, Bytes memory);
    /// The incident of that host is closed: what it was told in vain is given up.
    void end_fencing(const std::string& host) { told_in_vain_.erase(host); }
    /// Somebody takes the domain for running there.
    void check_place(const std::string& domain, const std::string& host);
    /// The worker knows that its start is over.
    void start_is_known(const std::string& domain);
    void resume_domain(const std::string& domain, const std::string& host);
    /// The domain runs there, in reach, and its guest does its work.
    bool guest_works(const std::string& domain, const std::string& host) const;
    /// The guest with this address runs somewhere in reach and does its work.
    bool guest_answers(const std::string& address) const;
    /// Puts a half copy on the target; the domain runs on at its source.
    void begin_move(const std::string& domain, const std::string& from, const std::string& to);
    /// Both ends stand still.
    void pause_for_move(const std::string& domain, const std::string& from, const std::string& to);
    /// It runs at its target and the source has forgotten it.
    void end_move(const std::string& domain, const std::string& from, const std::string& to);
    /// Its definition goes, as somebody orders who has kept a copy.
    void forget_definition(const std::string& domain, const std::string& host);
    /// A copy of a definition is in the journal.
    void keep_definition(const std::string& domain, const std::string& host);
    /// The journal says that the host was to be fenced, or that it was looked at since.
    void distrust(const std::string& host);
    void trust(const std::string& host);
    void command_off(const std::string& device);
    void command_on(const std::string& device);

    /// A point at which the calling process may be killed: before and after every port call.
    void crash_point(const std::string& call);

    void log(const std::string& text);
    void broken(const std::string& promise);
    /// The host where it ran last for certain was silent or lies dead, or the one it was sent to is
    /// out of reach, and nobody proved it off: what a move left can't be judged.
    bool an_end_unknown(const std::string& domain) const;
    /// That host, or a person there, started it unasked, and nobody can see it: it runs twice
    /// already.
    bool is_unseen_twin(const std::string& domain, const std::string& host) const;
    /// What an earlier move left of the domain on a host that fell silent: it never ran.
    bool is_lost_half(const std::string& domain, const std::string& host) const;
    /// Whether a host started the domain so short a time ago that nobody may know.
    bool unforeseeable(const std::string& domain) const;
    const std::vector<std::string>& lines() const { return lines_; }
    const std::vector<std::string>& broken_promises() const { return broken_; }
    /// Hosts on which the domain is active, that have power and reach some disk of it.
    std::vector<std::string> running_on(const std::string& domain) const;

    const Inventory inventory;
    SimScheduler& scheduler;
    std::map<std::string, SimHost> hosts;
    std::map<std::string, SimDevice> devices;
    std::map<std::string, bool> witnesses;
    std::map<std::string, Instant> storages_down;  ///< since when, for everybody
    std::set<std::string> storages_unasked;        ///< the monitoring node has no way to them
    bool monitor_cut = false;
    std::set<std::string> unstable;       ///< domains that stop one second after their start
    std::set<std::string> state_unknown;  ///< domains that are listed without a state
    std::set<std::string> pausing;        ///< domains that pause one second after their start
    std::map<std::string, int> crashing;  ///< domains that crash one second after so many starts
    std::set<std::string> hanging;        ///< domains whose guest hangs until it is started anew
    std::set<std::string> not_live;       ///< domains that can't be moved live
    std::set<std::string> not_pausable;   ///< and not even paused
    Duration move_time{400};
    std::optional<TimePoint> monitor_since;  ///< as the monitor says with its reports
    std::string no_seat;                     ///< why this node may not act; empty: it may
    /// Domains that a host started by itself, or a person, unasked.
    std::map<std::string, Instant> autostarted;
    std::map<std::string, std::string> definitions;  ///< domain -> XML, where it has disks
    std::map<std::string, int> vcpus;                ///< domain -> its virtual CPUs
    std::map<std::string, Bytes> sizes;              ///< domain -> its memory
    std::set<std::string> given_up;                  ///< domains that a worker once refused
    std::set<std::string> marked;                    ///< hosts that once were in maintenance
    SimScheduler::Process lock_holder;               ///< empty: nobody holds the worker's lock
    Arming arming;  ///< of the journal, to check that nobody acts against it

    std::set<long> crash_at;  ///< kill at the crash points of these numbers
    long crash_points = 0;    ///< passed so far
    std::function<void()> on_crash;

  private:
    /// The rules of the cluster file for a domain that comes to a host.
    void check_rules(const std::string& domain, const std::string& host);
    void check_apart(const std::string& domain, const std::string& host);
    /// What it is to be started after died with it, and is started only now.
    void check_order(const std::string& domain);
    bool is_cut_off(const SimHost& host, const std::string& domain) const;
    /// Fencing a host for nothing: all that ran there has had no storage for long.
    void check_use_of_fencing(const std::string& host);
    /// Care is for what failed: not for what somebody ended, nor for what lives.
    void check_restart(const std::string& domain, const std::string& host);
    void start_now(const std::string& domain, const std::string& host, Bytes memory);
    void crash_soon(const std::string& domain, const std::string& host);
    /// Since when its guest is silent, for whatever cause.
    void note_silence(const std::string& domain);
    bool may_be_ended(const std::string& domain, const SimDomain& there) const;
    /// Nobody is switched off who answered all the while.
    void check_second_look(const std::string& host);
    /// A host that was fenced is used again only after it was looked at.
    void check_trusted(const std::string& domain, const std::string& host);
    void check_unfencing(const std::string& host);

    std::vector<std::string> lines_;
    std::vector<std::string> broken_;
    std::map<std::string, std::string> home_;     ///< domain -> where it ran last for certain
    std::map<std::string, std::string> started_;  ///< domain -> where a worker started it last
    std::map<std::string, std::string> latest_;   ///< domain -> where it was started or moved last
    std::map<std::string, std::string> sent_to_;  ///< domain -> where it was to move last
    std::set<std::string> switched_off_;          ///< by us, and not switched on since
    std::set<std::string> told_in_vain_;   ///< hosts that are to be, by devices that do nothing
    std::set<std::string> moved_by_hand_;  ///< domains
    std::map<std::string, Instant> untrusted_;            ///< hosts, since when
    std::set<std::pair<std::string, std::string>> kept_;  ///< domain, host
    std::map<std::string, Instant> ended_by_hand_;        ///< domains, and when
    /// Domains that we ended and started again, so long as the worker does not know of the start:
    /// who ends one then leaves what our own end left.
    std::set<std::string> indistinct_;
    std::map<std::string, std::vector<Instant>> restarts_;  ///< of each domain
    std::map<std::string, Instant> died_;        ///< domain -> when its host lost power last
    std::map<std::string, Instant> mute_since_;  ///< domains whose guest does not answer
    std::map<std::string, Instant> started_at_;  ///< domain -> when a worker started it last
};

}  // namespace domkeeper
