// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace domkeeper {

/// Catches Ctrl-C as long as it lives; a second one ends the program as usual. One at a time.
class Interrupt {
  public:
    /// Throws SystemError.
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// True once it came.
    bool came() const;
};

}  // namespace domkeeper
