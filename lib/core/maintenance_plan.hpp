// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/maintenance_types.hpp"
#include "lib/core/planner.hpp"
#include "lib/core/record.hpp"
#include "lib/core/survival.hpp"

namespace domkeeper {

/// A host as it was read, or not.
struct HostReading {
    std::optional<HostView> view;
    std::string why;  ///< of an empty view; printable
};

/// Everything that was read for one evacuation or return.
struct Survey {
    std::map<std::string, HostReading> hosts;  ///< all of the inventory
    std::map<std::string, MoveFacts> domains;  ///< active ones to be moved, by name
    std::map<std::string, std::string> twice;  ///< active on several hosts: "a and b"
    /// By host, then by device: what was asked.
    std::map<std::string, std::map<std::string, DeviceSight>> sights;
};

/// What a survey has to read.
struct SurveyOrder {
    std::string host;
    MaintenancePhase goal = MaintenancePhase::Evacuating;
    std::vector<std::string> domains;  ///< of Returning: these, where they run now
};

struct PlannedMove {
    std::string domain;
    std::string from;
    std::string to;
    MoveWay way = MoveWay::Live;
    Bytes memory;
    std::string reason;
};

struct MaintenancePlan {
    std::vector<PlannedMove> moves;  ///< in the order in which they should begin, safest first
    std::vector<Refusal> refusals;
    /// After the moves, losses of one further host each that would leave a domain without a place.
    std::vector<Loss> gaps;
};

/// What a plan starts from.
struct MaintenanceQuestion {
    const Inventory& inventory;
    std::string host;
    MaintenancePhase goal = MaintenancePhase::Evacuating;
    std::set<std::string> closed;                        ///< hosts on which nothing may land
    std::map<std::string, std::set<std::string>> avoid;  ///< by domain: where a try failed
    std::map<std::string, Moving> moving;                ///< under way: their memory is taken
    const ClusterRecord* record = nullptr;               ///< for what hosts offer; null: unknown
    PackingSearch packing{};                             ///< behind the quick ways of placing
};

/// Where each domain of the survey goes, in what way and in what order; which can't, with need and
/// have; and whether the rest could then lose one more host. Of two ways the gentlest that the
/// domain and its policy allow. Deterministic.
MaintenancePlan plan_moves(const MaintenanceQuestion& question, const Survey& survey);

/// Of moves that were planned from an older survey, in their order, the first domain that is not
/// there any more, or that its target would not take any more; empty: all are as good as before.
std::string outdated_move(const MaintenanceQuestion& question, const Survey& survey,
                          const std::vector<PlannedMove>& moves);

/// The gentlest way; empty: none is allowed, and `why` says it.
std::optional<MoveWay> choose_way(MovePolicy policy, const MoveFacts& facts, std::string& why);

/// What a host can take in now: by the planner's rule, and on Xen never more than the hypervisor
/// has free.
Bytes room_for_moves(const Host& host, const HostView& view);

/// Why the host can't be the target: a device that it does not see, or may not see; empty: it sees
/// all of them.
std::optional<std::string> blindness(const Survey& survey, const std::string& host,
                                     const MoveFacts& facts);

/// What a move needs on its target.
Bytes memory_needed(const MoveFacts& facts);

/// True of a hypervisor that gives guests no more than the memory it has free at the moment.
bool is_xen(const HostView& view);

}  // namespace domkeeper
