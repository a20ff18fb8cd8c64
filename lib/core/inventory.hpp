// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/remedies.hpp"
#include "lib/core/time.hpp"
#include "lib/core/units.hpp"

namespace domkeeper {

/// A thing that can take a host's power (or disks) away, as the cluster file describes it.
struct FenceDevice {
    std::string name;
    std::string agent;  ///< "fence_ipmi"
    /// Options by the fence agent API's names (ip, ipport, username, plug, ...), no secrets.
    std::map<std::string, std::string> options;
    std::string password_file;  ///< empty: none
};

/// A storage node that domains depend on, as the cluster file describes it: like a device, with
/// "aoe" or "iscsi" for an agent, and its disks in the option `disks`.
using StorageNode = FenceDevice;

/// Devices that must all succeed before the host counts as off.
using FenceLevel = std::vector<std::string>;

/// A physical host that runs domains.
struct Host {
    std::string name;
    std::string address;            ///< IP address or name, for ping and TCP probes
    std::string uri;                ///< libvirt connection URI
    std::optional<Bytes> memory;    ///< empty: what the hypervisor says
    Bytes reserve;                  ///< memory that domains never get
    std::vector<FenceLevel> fence;  ///< tried in this order
    /// How many virtual CPUs its domains may have together; empty: see Policy::vcpus_per_cpu.
    std::optional<int> vcpus{};
    std::vector<std::string> offers{};  ///< what domains may need and libvirt does not tell
};

enum class RestartPolicy { Always, Never };
enum class Expected { Running, Off, Any };

/// How a running domain may be moved to another host when somebody evacuates its own.
enum class MovePolicy {
    Live,     ///< live alone: its users must not notice
    Paused,   ///< live, else saved and restored: it stands still for seconds
    Restart,  ///< else even shut down and started
    Never
};

/// How much a domain matters. A class comes before any priority.
enum class DomainClass {
    BestEffort,  ///< may be stopped for a must-run domain where the policy allows it
    Normal,
    MustRun,
};

/// How a guest shows that it does its work, not only runs.
struct GuestSign {
    std::string address{};  ///< empty: its agent is asked, through the hypervisor of its host
    int port = 0;           ///< must take a TCP connection; 0: a ping is enough

    bool by_agent() const { return address.empty(); }
};

/// "ping 10.0.0.5", "tcp 10.0.0.5:22", "tcp [fd00::5]:22", "agent"; nullopt for anything else.
std::optional<GuestSign> parse_guest_sign(std::string_view text);
std::string render_guest_sign(const GuestSign& sign);

/// A domain that domkeeper looks after.
struct Domain {
    std::string name;
    std::vector<std::string> hosts;  ///< where it may run; empty: everywhere
    int priority = 0;                ///< higher is placed and started first
    RestartPolicy restart = RestartPolicy::Always;
    Expected expect = Expected::Running;
    MovePolicy move = MovePolicy::Live;
    std::vector<std::string> apart{};    ///< groups; two of one group are never started on one host
    std::vector<std::string> prefer{};   ///< hosts that are taken first where they have room
    std::optional<GuestSign> answers{};  ///< what it must answer after its start; empty: nothing
    Remedies remedies{};                 ///< where they differ from the policy's
    DomainClass domain_class = DomainClass::Normal;
    std::vector<std::string> rather_apart{};     ///< groups that share a host only if they must
    std::vector<std::string> together{};         ///< groups; all of one are on one host, or down
    std::vector<std::string> rather_together{};  ///< groups that share a host where they can
    std::vector<std::string> needs{};            ///< what its host must offer
    std::vector<std::string>
        after{};              ///< domains whose start, if it is due, comes to its end first
    Duration start_delay{0};  ///< so long it waits when these are through
};

/// The order of importance: its class, then its priority.
int rank_of(const Domain& domain);

/// What to do about a domain that might run on a peer which does not answer.
enum class UnseenPeers {
    Refuse,      ///< don't start it: it may have been moved there since the record was taken
    TrustRecord  ///< the record says where it ran; start it
};

/// What to do about a host that lives and alone lost its way to the storage.
enum class StorageLost {
    Evacuate,  ///< move its domains away; its power stays on
    Fence,     ///< treat it as lost: fence it and start its domains elsewhere
    Report     ///< write it down
};

/// What becomes of a host that was fenced, when it is up again and nothing speaks against it.
enum class Failback {
    Never,   ///< it is in use again; the domains that left it stay where they are
    Manual,  ///< nothing: it waits for an operator
    Auto     ///< it is in use again, and its domains come back
};

/// Whether running domains may be stopped for others.
enum class MakeRoom {
    Never,
    StopBestEffort  ///< best-effort ones, where a must-run domain has no place otherwise
};

struct Policy {
    int max_hosts_lost = 1;
    std::vector<std::string> witnesses;
    std::optional<int> witnesses_needed;  ///< empty: the majority of them
    Duration look_time{400};
    Duration record_max_age{600'000};
    Duration settle_time{5'000};
    Duration fence_time{60'000};   ///< for one level
    Duration start_time{60'000};   ///< for one domain
    Duration answer_time{60'000};  ///< from its settling to the first answer of a guest
    Duration observe_time{1'000};
    Duration peer_time{30'000};  ///< for how long a domain waits for a peer that may run it
    int starts_per_host = 4;
    int start_attempts = 2;
    int moves_at_once = 2;
    Duration move_time{600'000};           ///< for one domain
    Duration maintenance_time{7'200'000};  ///< how long a downtime the monitor is told of
    int max_percent_lost = 100;            ///< the same limit as a share of all hosts
    int peers_needed = 0;         ///< so many other hosts must answer before anybody is fenced
    int fences_per_hour = 4;      ///< hosts fenced within an hour, this one included; 0: no limit
    Duration cool_down{300'000};  ///< no second fence of one host within this
    Duration quiet_time{30'000};  ///< after the start of the monitor nobody is fenced for so long
    int starts_at_once = 64;      ///< on all hosts together
    int balance_tolerance = 15;   ///< percent of a host's memory or CPUs: less is not uneven
    int survive = 1;        ///< hosts whose loss the others must have room for; 0: not looked at
    int restart_limit = 3;  ///< restarts of one domain on its host within restart_window
    int restarts_elsewhere = 1;  ///< then so many on other hosts; then it is given up
    Duration restart_window{3'600'000};
    Duration restart_pause{5'000};  ///< before the second restart of the window; then doubled
    Duration hang_time{60'000};     ///< a running guest silent for so long hangs
    Remedies remedies{};
    int vcpus_per_cpu = 0;  ///< virtual CPUs that each CPU of a host may carry; 0: no limit
    Duration disarmed_max{86'400'000};  ///< disarmed for longer than that is an alarm
    MakeRoom make_room = MakeRoom::Never;
    UnseenPeers unseen_peers = UnseenPeers::Refuse;
    StorageLost storage_lost = StorageLost::Evacuate;
    Failback failback = Failback::Never;
    std::vector<std::string> notify;  ///< command and arguments; empty: none
    /// Domkeeper acts on this node only while that file is there; empty: always.
    std::string seat_file;
    /// The monitor's external command file, for downtimes; empty: it is told nothing.
    std::string monitor_commands;

    /// How many witnesses must answer before anybody is fenced.
    int quorum() const;
};

/// The TCP ports on which a living host is likely to say something: the one of its libvirt
/// connection URI (explicit, or 16509 tcp, 16514 tls, 22 ssh: libvirt.org/uri.html) and ssh.
std::vector<int> probe_ports(const Host& host);

/// The whole cluster file as values.
struct Inventory {
    std::string name;
    std::string state_dir = "/var/lib/domkeeper";
    Policy policy;
    std::vector<Host> hosts;
    std::vector<FenceDevice> devices;
    std::vector<Domain> domains;
    std::vector<StorageNode> storages{};  ///< whose failure is no host's; empty: nobody looks

    const Host* find_host(const std::string& host_name) const;
    const FenceDevice* find_device(const std::string& device_name) const;
    const Domain* find_domain(const std::string& domain_name) const;
    /// False when the domain's list of hosts leaves `host_name` out.
    bool may_run(const Domain& domain, const std::string& host_name) const;
};

}  // namespace domkeeper
