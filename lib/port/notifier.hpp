// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace domkeeper {

/// Tells people. Never throws and never holds recovery up: what can't be told is lost.
class Notifier {
  public:
    virtual ~Notifier() = default;
    virtual void notify(const std::string& text) = 0;
};

}  // namespace domkeeper
