// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/port/seat.hpp"

namespace domkeeper {

/// The seat as a file that the cluster manager makes when it gives this node the seat, and removes
/// when it takes it away. It belongs on a file system that is empty after a reboot (/run).
class SeatFile final : public Seat {
  public:
    /// An empty path: this is the only node, and may always act.
    explicit SeatFile(std::string path) : path_(std::move(path)) {}

    /// A path that can't be looked at is no seat.
    std::string objection() override;

  private:
    std::string path_;
};

}  // namespace domkeeper
