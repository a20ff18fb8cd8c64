// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/time.hpp"
#include "lib/core/units.hpp"

namespace domkeeper {

/// What is being done with a host that somebody took out of use.
enum class MaintenancePhase {
    Evacuating,  ///< its domains are to leave it
    Held,        ///< nothing is done; nothing lands there until its return
    Returning,   ///< its domains are to come back; then it is in use again
    Balancing,   ///< of `whole_cluster` alone: the load is to be evened out
};

/// Stands for the host of an order that is about all of them. No host may have that name.
inline constexpr std::string_view whole_cluster = "*";

std::string_view maintenance_phase_name(MaintenancePhase phase);  ///< "evacuating", "held", ...
std::optional<MaintenancePhase> parse_maintenance_phase(std::string_view text);

/// The mark on a host in maintenance, as the journal keeps it. It is the operator's order and the
/// state of the work at once.
struct Maintenance {
    std::string host;
    MaintenancePhase phase = MaintenancePhase::Evacuating;
    bool stop = false;        ///< an order: begin nothing further, then hold
    bool partial = false;     ///< an order: move what can be moved, even if not all can
    bool keep_spare = false;  ///< an order: not at all if the rest could not lose one more host
    bool stay = false;        ///< an order: on return leave the domains where they are
    IncidentId incident = 0;  ///< under which the work is journaled; 0: it has not begun
    std::string who;          ///< printable
    std::string reason;       ///< printable; may be empty
    TimePoint since;
    std::vector<std::string> domains;  ///< that were moved away, and come back on return
    /// A recovery fenced it, or tried to: nothing of it is trusted before it was looked at.
    bool fenced = false;

    bool has_work() const { return phase != MaintenancePhase::Held; }
};

/// A recovery is about to fence a host: its mark is made, or learns of it.
struct FencedHost {
    std::string host;
    IncidentId incident = 0;
    TimePoint at;
    std::vector<std::string> domains;  ///< that are to be recovered elsewhere
};

/// That a host was about to be fenced, as the journal has it.
struct PastFence {
    IncidentId incident = 0;
    std::string host;
    TimePoint at;
};

/// An order that follows from an event: a held and fenced host is to be taken in again.
struct ReturnOrder {
    std::string host;
    bool stay = false;  ///< leave its domains where they are
};

/// Who marks hosts where no person did.
inline constexpr std::string_view marked_by_itself = "domkeeper";

/// A definition that was taken away from a host, without its secrets.
struct KeptDefinition {
    IncidentId incident = 0;
    std::string host;
    std::string domain;
    TimePoint at;
    std::string xml;
};

/// How a domain gets to another host.
enum class MoveWay { Live, Paused, Restart };

std::string_view move_way_name(MoveWay way);  ///< "live", "paused", "restart"
std::optional<MoveWay> parse_move_way(std::string_view text);

/// What a move needs to know of a domain, read from where it runs.
struct MoveFacts {
    std::string host;  ///< where it is active
    DomainView view;
    bool can_live = true;
    std::string why_not_live;  ///< of !can_live; printable
    bool can_pause = true;     ///< may be saved and restored over the wire
    std::string why_not_pause;
    std::vector<std::string> devices;  ///< block devices that a host must see, absolute paths
    std::string trouble;               ///< why it can't be moved at all; empty: nothing is known
    Bytes overhead;                    ///< what the hypervisor needs beside the guest's memory

    /// Why it is not to be moved: `trouble`, or it stands still as one end of a move, whose other
    /// end may run. Empty: nothing speaks against it.
    std::string objection() const;
};

/// Whether a host sees a block device.
enum class Sight { Seen, Unseen, Unknown };

struct DeviceSight {
    Sight sight = Sight::Unknown;
    std::string why;  ///< of Unknown and Unseen; printable
};

/// How far a move is. Zero where the driver does not say.
struct MoveProgress {
    std::string domain;
    std::string host;
    std::string target;
    TimePoint at;
    Duration elapsed{0};
    Bytes total;
    Bytes done;
    Bytes left;
    Bytes rate;                         ///< a second
    Bytes dirty_rate;                   ///< a second
    std::optional<Duration> time_left;  ///< an estimate, at this rate
    std::optional<Duration> downtime;   ///< expected, or measured at the end
};

/// One end of a move as it shows on its host.
enum class SideState {
    Unreachable,  ///< the host does not answer
    Absent,       ///< not there, or shut off
    Active,       ///< runs, or is paused by somebody's will
    Busy,         ///< runs, and a migration of it is under way
    Half,         ///< stands still as one end of a migration that has not come to its end
};

std::string_view side_state_name(SideState side);

/// What is to be done with an end that was left over.
enum class CleanUp {
    Abort,    ///< end the migration that is under way; the guest runs on
    Discard,  ///< destroy a half copy; refused by the port where it is not one
    Resume,   ///< let the guest at its source go on
};

std::string_view clean_up_name(CleanUp clean_up);

/// A domain between two hosts, for those who must not touch it meanwhile.
struct Moving {
    std::string from;
    std::string to;
    Bytes memory;
};

}  // namespace domkeeper
