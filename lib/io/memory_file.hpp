// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/memory.hpp"

namespace domkeeper {

/// The memory of one check between two runs: a file of mode 0600 in a folder that the check's user
/// may write to.
class MemoryFile {
  public:
    /// `folder` must be there; the name is made from `check` and `about`, whatever they hold.
    MemoryFile(const std::string& folder, const std::string& check, const std::string& about);

    /// What the last run put down; empty when there is none yet. Throws SystemError for what can't
    /// be read, and for what is no regular file.
    Memory read() const;
    /// Replaces it whole: a run that is killed leaves the old one. Throws SystemError.
    void write(const Memory& memory) const;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace domkeeper
