// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace domkeeper {

/// The one worker of a cluster holds it; the system frees it when the holder dies.
class Lock {
  public:
    virtual ~Lock() = default;
    /// True when it is ours now (or already was). Never blocks. Throws SystemError.
    virtual bool try_acquire() = 0;
    virtual void release() = 0;
};

}  // namespace domkeeper
