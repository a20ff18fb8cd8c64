// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/time.hpp"

namespace domkeeper {

/// Tells the monitor that a host is worked on. Returns within a second. Throws SystemError.
class Downtime {
  public:
    virtual ~Downtime() = default;
    /// What was told, for the journal; empty: no monitor is configured.
    virtual std::string begin(const std::string& host, TimePoint now, Duration length,
                              const std::string& who, const std::string& text) = 0;
    virtual std::string end(const std::string& host, TimePoint now) = 0;
};

}  // namespace domkeeper
