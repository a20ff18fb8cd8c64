// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "lib/io/libvirt_connection.hpp"

namespace domkeeper {

/// A connection that is being opened on a thread of its own, since libvirt's open blocks as long
/// as the far side likes.
class LibvirtOpening {
  public:
    /// Nothing is being opened.
    LibvirtOpening() = default;
    /// Begins. Throws SystemError when the system has no thread left.
    LibvirtOpening(std::string uri, LibvirtOptions options);

    bool valid() const { return result_.valid(); }
    const std::shared_future<std::shared_ptr<LibvirtConnection>>& result() const { return result_; }
    /// Nobody waits any more. Ends the ssh that the opening started, which would wait on for
    /// minutes after this process; an opening by other ways goes on in the background.
    void give_up() const;

  private:
    bool by_ssh_ = false;
    std::shared_ptr<std::atomic<int>> thread_;
    std::shared_future<std::shared_ptr<LibvirtConnection>> result_;
};

}  // namespace domkeeper
