// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/offers.hpp"
#include "lib/core/packing.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// Why a domain is not started.
enum class RefusalKind {
    NotListed,        ///< not in the cluster file
    PolicyNever,      ///< restart = "never"
    NoDefinition,     ///< the record has no definition of it
    NoAllowedHost,    ///< no living host may run it
    Apart,            ///< each living host that may run it has a domain it must stay apart from
    Together,         ///< what it must be together with is where there is no room for it
    NeedUnmet,        ///< no living host that may run it offers what it needs
    NotEnoughMemory,  ///< need and have say how much
    NotEnoughCpus,    ///< each host with the memory has given out all its virtual CPUs
    Disarmed,         ///< somebody disarmed in the middle of it
    PeerUnseen,       ///< it might run on a host that does not answer
    HostReturned,     ///< its old host is back, so its proof of off is void
    StartFailed,      ///< every try failed
    StartUnknown,     ///< a start was tried and nobody can say how it ended
    NotStable,        ///< it did not stay running
    NoAnswer,         ///< it runs, and its guest does not answer
    NotCovered,       ///< its old host is cut off from its disks in part only
    StorageDown,      ///< the storage that holds its disks does not answer
    OtherIncident,    ///< the host it was started on died too; that host's incident cares
    MoveNotAllowed,   ///< it can't move in a way that its policy allows
    DeviceUnseen,     ///< no host with room sees (or can say whether it sees) its disks
    MoveFailed,       ///< every try to move it failed; it is where it was
    MoveUnknown,      ///< a move was tried and nobody can say how it ended
    RunsTwice,        ///< it is active on two hosts: nothing touches it
};

std::string_view refusal_kind_name(RefusalKind kind);

struct Refusal {
    RefusalKind kind = RefusalKind::StartFailed;
    std::string domain;
    std::optional<Bytes> need;  ///< of NotEnoughMemory
    std::optional<Bytes> have;  ///< the most that any allowed host has left
    std::string text;           ///< the whole reason, for people
};

struct Want;

/// What stands on a host and what it offers, as far as rules go.
struct Standing {
    std::set<std::string> apart{};  ///< groups of which it has a domain; the next three as well
    std::set<std::string> rather_apart{};
    std::set<std::string> together{};
    std::set<std::string> rather_together{};
    std::optional<int> vcpus{};  ///< virtual CPUs that it may still give out; empty: no limit
    Labels offers{};

    /// That domain is there, or will be.
    void add(const Domain& domain, int domain_vcpus);
    void add(const Want& want);
};

/// A living host with room for more domains.
struct Room {
    std::string host;
    Bytes free;  ///< after reserve and all that runs or is being started there
    Standing standing{};
};

/// A domain to be placed.
struct Want {
    std::string domain;
    Bytes memory;
    int priority = 0;                   ///< the rank: class and priority
    std::vector<std::string> hosts;     ///< where it may run; empty: everywhere
    std::set<std::string> avoid;        ///< where a start failed already
    std::vector<std::string> apart{};   ///< groups: never two of one group on one host
    std::vector<std::string> prefer{};  ///< hosts that are taken first where they have room
    int vcpus = 0;
    std::vector<std::string> rather_apart{};     ///< groups, where that costs nobody his place
    std::vector<std::string> together{};         ///< groups: never on two hosts
    std::vector<std::string> rather_together{};  ///< groups, where that costs nobody his place
    std::vector<std::string> needs{};            ///< labels that its host must offer
    DomainClass domain_class = DomainClass::Normal;
};

/// Whether both have one of these groups.
bool share_group(const std::vector<std::string>& groups, const std::vector<std::string>& others);

/// A domain of the cluster file that needs that much.
Want want_of(const Domain& domain, Bytes memory, int vcpus = 0);

/// Adds what its definition needs; one that can't be read adds nothing.
void add_defined_needs(Want& want, std::string_view xml);

/// True when the want's rules allow that host, as it stands; its memory and CPUs are another
/// question. Of a together group that stands on another host alone the host itself does not know.
bool may_go(const Want& want, const Room& room);

/// And has the memory and the virtual CPUs for it.
bool takes(const Room& room, const Want& want);

struct Placement {
    std::string domain;
    std::string host;
    Bytes memory;
    std::string reason;
};

struct Plan {
    std::vector<Placement> placements;  ///< in the order in which they should start
    std::vector<Refusal> refusals;
};

/// What a host has left for new domains: its memory (the cluster file's figure, else the
/// hypervisor's) less the reserve and the maximum of each active domain; where the cluster file
/// gives no figure, never more than the hypervisor says it could give now, less the reserve.
Bytes room_of(const Host& host, const HostView& view);

/// How many more virtual CPUs the host may give out; empty: there is no limit.
std::optional<int> vcpus_left(const Inventory& inventory, const Host& host, const HostView& view);

/// The host as it was read, ready for more domains. `read` are the offers that were read of it.
Room room_on(const Inventory& inventory, const Host& host, const HostView& view,
             const Labels& read = {});

/// Whether the view has the domain, and as active.
bool shows_active(const HostView& view, const std::string& domain);

/// A host's room less what its view does not show yet. Each domain counts once, and not at all when
/// the view has it active. Keeps references to what it was made of.
class RoomLeft {
  public:
    RoomLeft(const Inventory& inventory, const ClusterRecord& record, const Host& host,
             const HostView& view);
    /// `leads` false: it takes its room, and does not say where its `together` groups are.
    void take(const std::string& domain, Bytes memory, int vcpus, bool leads = true);
    /// The same with the virtual CPUs that the record has of it; none: it is not known.
    void take(const std::string& domain, Bytes memory);
    /// What came there, by the record, after the view was begun at `looked`: a move or a recovery
    /// may be over already. `but` is left out.
    void take_since(TimePoint looked, const std::string& but = {});
    Room room() && { return std::move(room_); }

  private:
    const Inventory& inventory_;
    const ClusterRecord& record_;
    const HostView& view_;
    Room room_;
    std::set<std::string> taken_;
};

/// The question in numbers; items and boxes stand as wants and rooms do.
PackingProblem problem_of(const std::vector<Room>& rooms, const std::vector<Want>& wants);

/// Places what fits, more important domains first, and says of the rest what is missing.
/// Deterministic: the same input gives the same plan. Where the quick ways of packing leave a
/// domain out, the search comes in if there is one; the best result, by rank, wins. The refusals
/// say whether that a better packing exists was ruled out. `thorough`: see pack_quickly().
Plan plan_placement(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                    const PackingSearch& search = {}, bool thorough = true);

/// A running domain that may be stopped for must-run ones.
struct Stoppable {
    std::string domain;
    std::string host;
    Bytes memory;  ///< that its end sets free
    int vcpus = 0;
    int priority = 0;  ///< its rank
};

struct Stop {
    Stoppable victim;
    std::string for_domain;
};

/// What to stop so that must-run wants which `plan` refuses find their place: the fewest on one
/// host for each, the least important ones. None for wants that no stop would help.
std::vector<Stop> plan_stops(std::vector<Room> rooms, const std::vector<Want>& wants,
                             const Plan& plan, const std::vector<Stoppable>& stoppable);

/// The rooms as they are when the plan is carried out.
std::vector<Room> rooms_after(std::vector<Room> rooms, const std::vector<Want>& wants,
                              const Plan& plan);

}  // namespace domkeeper
