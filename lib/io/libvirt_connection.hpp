// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "lib/core/error.hpp"

// libvirt's handles, so that its header stays in the sources.
struct _virConnect;
struct _virDomain;

namespace domkeeper {

/// How much is asked of a host's domains. The states of all of them come in one call; what lies
/// beyond costs calls for each active domain, some 20 us each on one machine.
enum class LibvirtDepth {
    States,  ///< state with reason alone
    Health,  ///< and whether their monitors are stuck, disk errors, persistence and autostart
    Full     ///< and memory and processors
};

struct LibvirtOptions {
    /// Ask for a connection that can't change anything; enough for checks, and it needs no root
    /// where the local socket lets everybody read.
    bool read_only = false;
    /// Let libvirt's event loop ask the far side each second whether it lives, and give up calls
    /// that wait for a silent one after 4 s. Deadlines are kept without, and each call costs more
    /// with it: for programs that run long and must not gather threads that wait for dead hosts.
    bool keepalive = false;
    int keepalive_seconds = 1;  ///< from one question to the next; three go unanswered
    LibvirtDepth depth = LibvirtDepth::Full;
};

/// The connection broke in the middle: what was asked may or may not have been done.
class ConnectionLost : public Unreachable {
    using Unreachable::Unreachable;
};

/// One open connection to a libvirt daemon (or to a driver inside this process). All calls block
/// as long as the far side likes: make them through run_bounded only.
class LibvirtConnection {
  public:
    using Domain = std::shared_ptr<_virDomain>;

    /// Throws Unreachable, Denied or ProtocolError.
    static std::shared_ptr<LibvirtConnection> open(const std::string& uri, LibvirtOptions options);
    ~LibvirtConnection();
    LibvirtConnection(const LibvirtConnection&) = delete;
    LibvirtConnection& operator=(const LibvirtConnection&) = delete;

    _virConnect* handle() const { return handle_; }
    /// The URI without its secrets.
    const std::string& shown() const { return shown_; }
    /// False once the far side is known to be gone. Does not block.
    bool alive() const;
    /// Nobody waits for its goodbye any more: a call hangs on it.
    void abandon();

    /// Throws what libvirt's last error on this thread means, as "URI: doing: reason".
    [[noreturn]] void fail(const std::string& doing) const;
    /// After a failed call that the driver need not have: returns when it was only that, throws
    /// like fail() when the connection is gone.
    void tolerate(const std::string& doing) const;
    /// True when libvirt's last error on this thread says that the driver has no such call.
    static bool last_call_unsupported();
    /// True when it says that there is no such domain (any more).
    static bool last_domain_missing();
    /// True when it says that the guest's agent does not answer.
    static bool last_agent_silent();

    /// Takes over a domain handle, which keeps the connection as long as it lives.
    static Domain own(const std::shared_ptr<LibvirtConnection>& connection, _virDomain* domain);

  private:
    LibvirtConnection(std::string uri, _virConnect* handle);

    const std::string uri_;
    const std::string shown_;
    _virConnect* handle_;
    std::atomic<bool> abandoned_{false};
};

}  // namespace domkeeper
