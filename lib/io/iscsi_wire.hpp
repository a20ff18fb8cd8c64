// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "lib/io/iscsi_session.hpp"

struct iscsi_context;
struct scsi_task;

namespace domkeeper {

/// libiscsi's asynchronous calls without any waiting, for one connection: whoever owns it polls
/// fd() for events() and calls service(). So one loop can serve many targets. Nothing is tried
/// again.
class IscsiWire {
  public:
    struct FreeTask {
        void operator()(scsi_task* task) const;
    };
    struct DestroyContext {
        void operator()(iscsi_context* context) const;
    };
    /// One call of the library.
    struct Call {
        bool done = false;
        int status = 0;
        std::vector<IscsiTarget>* targets = nullptr;  ///< of a discovery
        std::unique_ptr<scsi_task, FreeTask> task{};  ///< of a command
        std::vector<std::uint8_t> out{};              ///< what goes with it
        int lun = 0;
    };

    /// Connects to nobody yet. Throws SystemError, UsageError.
    explicit IscsiWire(const IscsiLogin& login);

    // Each begins something; the call is done when service() or flush() marked it so. They throw
    // Unreachable, ProtocolError.
    Call& connect(const std::string& address, int port);
    Call& log_in();
    Call& command(int lun, ScsiCommand command);
    Call& discover(std::vector<IscsiTarget>& targets);
    /// Null: it can't even be sent.
    Call* log_out();

    /// Frees the calls that are done; references to them end here.
    void forget_done();

    int fd() const;
    short events() const;
    /// Takes what poll() said. When the connection broke, every call under way ends with an error.
    void service(short revents);
    /// Sends what can be sent at once, in as few packets as it fits: the other side is woken once.
    void flush();

    // What became of a call that is done, or (late) was given up. They throw as IscsiSession says.
    void judge_connect(const Call& call) const;
    void judge_login(const Call& call) const;
    void judge_discovery(const Call& call) const;
    ScsiReply reply(const Call& call) const;

    const std::string& name() const { return name_; }

  private:
    Call& begin();
    void hold(bool held);
    std::string error() const;

    const std::string name_;
    // In this order: the library may call back while it is being destroyed.
    std::list<Call> calls_;
    bool connected_ = false;
    bool broken_ = false;
    std::unique_ptr<iscsi_context, DestroyContext> context_;
};

}  // namespace domkeeper
