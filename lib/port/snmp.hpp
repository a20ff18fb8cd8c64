// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "lib/core/snmp_value.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// One SNMP agent. Calls end by their deadline and throw Unreachable, TimedOut, Denied,
/// ProtocolError or UsageError.
class Snmp {
  public:
    virtual ~Snmp() = default;
    /// One answer for each object, in order; what is not there is Missing. All in one request, so
    /// that they are of one moment, as far as the device is able to.
    virtual std::vector<SnmpValue> get(const std::vector<Oid>& oids, Deadline deadline) = 0;
    /// The first object after this one; Missing at the end.
    virtual SnmpVariable next(const Oid& after, Deadline deadline) = 0;
    /// Writes an INTEGER.
    virtual void set(const Oid& oid, std::int64_t value, Deadline deadline) = 0;
};

}  // namespace domkeeper
