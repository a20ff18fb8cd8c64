// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/core/error.hpp"
#include "lib/core/inventory.hpp"
#include "lib/core/maintenance_types.hpp"
#include "lib/core/record.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// What a move under way tells and asks; called from the mover's own thread, and quick.
struct MoveWatch {
    std::function<void(const MoveProgress&)> progress;
    std::function<bool()> cancelled;
};

/// Moves running domains between hosts. Every call ends by its deadline, whatever the far sides
/// do, and may be made from any thread. All throw Unreachable, TimedOut, Denied or ProtocolError.
class Mover {
  public:
    virtual ~Mover() = default;

    /// What a move must know of an active domain.
    virtual MoveFacts facts(const Host& host, const DomainView& domain, Deadline deadline) = 0;

    /// Which of the block devices the host sees. What can't be found out is Unknown, not thrown.
    virtual std::map<std::string, DeviceSight> sights(const Host& host,
                                                      const std::vector<std::string>& devices,
                                                      Deadline deadline) = 0;

    /// Moves the domain, with its definition, and returns how, for the journal, when it runs at
    /// its target and the source has forgotten it. When it throws, the domain may be at either
    /// end, or stand still between both: look at them. A domain that was to be restarted and is
    /// shut off at its source is started at the target; it is never switched off by force.
    virtual std::string move(const DomainRecord& domain, const Host& from, const Host& to,
                             MoveWay way, const MoveWatch& watch, Deadline deadline) = 0;

    /// One end of a move. Unreachable instead of an exception.
    virtual SideState look(const DomainRecord& domain, const Host& host, Deadline deadline) = 0;

    /// Discard and Resume throw ProtocolError when the end is no half any more.
    virtual void clean_up(const DomainRecord& domain, const Host& host, CleanUp what,
                          Deadline deadline) = 0;
};

}  // namespace domkeeper
