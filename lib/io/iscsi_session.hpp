// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/scsi_codec.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// Where to log in and as whom.
struct IscsiLogin {
    std::string host;
    int port = 3260;
    std::string target;  ///< IQN; empty: a discovery session
    std::string initiator = "iqn.2026-01.domkeeper:monitor";
    /// The session's number within the initiator's name: sessions with one number are one to the
    /// target, and a reservation belongs to it. 0: a random one.
    std::uint32_t session = 0;
    std::string user{};  ///< CHAP; empty: none
    std::string password{};
    std::string target_user{};  ///< mutual CHAP: what the target must prove; empty: none
    std::string target_password{};
};

/// "iqn.x:t1 at 10.0.0.1:3260"
std::string iscsi_place(const IscsiLogin& login);

/// "HOST", "HOST:PORT", "[IPV6]:PORT". Throws UsageError.
void parse_portal(const std::string& text, IscsiLogin& login);

struct IscsiTarget {
    std::string name;                  ///< as the portal says: hostile
    std::vector<std::string> portals;  ///< likewise
};

/// What a SCSI command came to.
struct ScsiReply {
    std::uint8_t status = 0;
    std::optional<ScsiSense> sense;  ///< with scsi_check_condition
    std::vector<std::uint8_t> data;

    bool good() const { return status == scsi_good; }
    /// It tells of something past; the command was not done and may be sent again.
    bool is_unit_attention() const { return sense && sense->key == 6; }
    /// "reservation conflict", "no such LUN (0x5/0x25/0x00)"; of good: "good".
    std::string text() const;
};

/// A session with one target through libiscsi, without its blocking calls: all of them end at their
/// deadline. Nothing is tried again. The messages tell apart: name unknown, portal silent, portal
/// refuses, login refused, target absent, target silent.
class IscsiSession {
  public:
    /// Connects and logs in. Throws Unreachable, TimedOut, Denied, ProtocolError.
    IscsiSession(const IscsiLogin& login, Deadline deadline);
    ~IscsiSession();
    IscsiSession(const IscsiSession&) = delete;
    IscsiSession& operator=(const IscsiSession&) = delete;

    /// Throws TimedOut or ProtocolError (the connection broke); what SCSI has to say is a reply. A
    /// command that meets a unit attention, which tells of a past event, is sent once more.
    ScsiReply command(int lun, const ScsiCommand& command, Deadline deadline);

    /// Of a discovery session.
    std::vector<IscsiTarget> discover(Deadline deadline);

    /// Leaves the target in good form; without it the connection is only closed. Never throws.
    void log_out(Deadline deadline);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace domkeeper
