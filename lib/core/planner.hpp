// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/inventory.hpp"

namespace domkeeper {

/// Why a domain is not started.
enum class RefusalKind {
    NotListed,        ///< not in the cluster file
    PolicyNever,      ///< restart = "never"
    NoDefinition,     ///< the record has no definition of it
    NoAllowedHost,    ///< no living host may run it
    Apart,            ///< each living host that may run it has a domain it must stay apart from
    NotEnoughMemory,  ///< need and have say how much
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

/// A living host with room for more domains.
struct Room {
    std::string host;
    Bytes free;                     ///< after reserve and all that runs or is being started there
    std::set<std::string> apart{};  ///< groups of which it has a domain already
};

/// A domain to be placed.
struct Want {
    std::string domain;
    Bytes memory;
    int priority = 0;
    std::vector<std::string> hosts;     ///< where it may run; empty: everywhere
    std::set<std::string> avoid;        ///< where a start failed already
    std::vector<std::string> apart{};   ///< groups: never two of one group on one host
    std::vector<std::string> prefer{};  ///< hosts that are taken first where they have room
};

/// A domain of the cluster file that needs that much memory.
Want want_of(const Domain& domain, Bytes memory);

/// True when the want's rules allow that host; its memory is another question.
bool may_go(const Want& want, const Room& room);

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

/// The apart groups of the domains that are active there.
std::set<std::string> apart_groups(const Inventory& inventory, const HostView& view);

/// What a search among all packings found.
struct Packing {
    std::vector<std::optional<std::size_t>> rooms;  ///< for each want its room; empty: none
    /// True: no packing is better. False: the search was given up, this is the best it met.
    bool proven = false;
};

/// Searches among all packings: as many wants of the highest priority as can be placed, then of the
/// next, and so on. `wants` come in the order of their priority; the first `sure` of them are known
/// to have a place together. An empty answer: it gave up without any packing.
using PackingSearch = std::function<std::optional<Packing>(
    const std::vector<Room>& rooms, const std::vector<Want>& wants, std::size_t sure)>;

/// Places what fits, higher priority first, and says of the rest what is missing. Deterministic:
/// the same input gives the same plan. Where the first way of packing leaves a domain out, others
/// are tried, then the search if there is one; the best result, by priority, wins. The refusals
/// say whether that a better packing exists was ruled out.
Plan plan_placement(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                    const PackingSearch& search = {});

}  // namespace domkeeper
