// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/io/unique_fd.hpp"
#include "lib/port/xenstore.hpp"

namespace domkeeper {

/// xenstored over its socket, or over the kernel's device where the socket is not there (xenstored
/// in a domain of its own). It speaks the protocol itself: libxenstore waits without end for each
/// single answer, so that it can neither be bounded nor ask a thousand things in a moment.
class XenstoreSocket : public Xenstore {
  public:
    /// `path` empty: $XENSTORED_PATH, $XENSTORED_RUNDIR/socket, /run/xenstored/socket, and then
    /// /dev/xen/xenbus. Nothing is opened before the first call.
    explicit XenstoreSocket(std::string path = {});

    std::vector<XsAnswer> ask(const std::vector<XsRequest>& requests, Deadline deadline) override;
    Latency measure(Deadline deadline) override;

  private:
    void connect(Deadline deadline);
    XsAnswer ask_one(const XsRequest& request, Deadline deadline);
    /// Throws ProtocolError with `doing` for an error.
    std::string must(const XsRequest& request, const std::string& doing, Deadline deadline);
    void wait(short events, Deadline deadline);
    bool send_some(std::string_view& left);
    void receive_some();
    /// Entries of runs that were killed in the middle.
    void remove_leftovers(const std::string& tools, Deadline deadline);
    double time_transaction(const std::string& node, Deadline deadline);

    std::string path_;
    bool device_ = false;  ///< takes one message a write
    UniqueFd fd_;
    XsReplyReader replies_;
    std::uint32_t next_id_ = 1;
};

}  // namespace domkeeper
