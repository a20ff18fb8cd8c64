// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_session.hpp"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_targets = 10'000;

struct DestroyContext {
    void operator()(iscsi_context* context) const { iscsi_destroy_context(context); }
};
struct FreeTask {
    void operator()(scsi_task* task) const { scsi_free_scsi_task(task); }
};

/// One call of the library that is under way.
struct Call {
    bool done = false;
    int status = 0;
    std::vector<IscsiTarget>* targets = nullptr;  ///< of a discovery
};

void finished(iscsi_context*, int status, void* data, void* private_data) {
    Call& call = *static_cast<Call*>(private_data);
    // That of connecting comes a second time when the connection ends.
    if (call.done) return;
    call.done = true;
    call.status = status;
    if (call.targets == nullptr || status != SCSI_STATUS_GOOD) return;
    for (const auto* one = static_cast<const iscsi_discovery_address*>(data);
         one != nullptr && call.targets->size() < most_targets; one = one->next) {
        IscsiTarget target;
        target.name = one->target_name != nullptr ? one->target_name : "";
        for (const auto* portal = one->portals; portal != nullptr && target.portals.size() < 64;
             portal = portal->next)
            if (portal->portal != nullptr) target.portals.emplace_back(portal->portal);
        call.targets->push_back(std::move(target));
    }
}

/// RFC 7143, 11.13.5: class and detail of a login's status, which the library only puts at the end
/// of its text, as "...: Authentication failure(513)".
std::optional<std::int64_t> login_status(const std::string& text) {
    const std::size_t open = text.rfind('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open)
        return std::nullopt;
    return parse_integer(std::string_view(text).substr(open + 1, close - open - 1));
}

}  // namespace

std::string iscsi_place(const IscsiLogin& login) {
    const bool v6 = login.host.find(':') != std::string::npos;
    const std::string portal =
        (v6 ? "[" + login.host + "]" : login.host) + ":" + std::to_string(login.port);
    if (login.target.empty()) return "portal " + printable(portal, 80);
    return printable(login.target, 120) + " at " + printable(portal, 80);
}

void parse_portal(const std::string& text, IscsiLogin& login) {
    std::string_view rest = text;
    std::string_view port;
    const bool bracketed = starts_with(rest, "[");
    const std::size_t close = rest.find(']');
    if (bracketed && close != std::string_view::npos) {
        login.host = rest.substr(1, close - 1);
        port = rest.substr(close + 1);
    } else if (std::count(rest.begin(), rest.end(), ':') > 1) {
        login.host = rest;  // an IPv6 address without a port
    } else {
        const std::size_t colon = rest.find(':');
        login.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port = rest.substr(colon);
    }
    const auto number = port.empty()     ? std::optional<std::int64_t>(login.port)
                        : port[0] == ':' ? parse_integer(port.substr(1))
                                         : std::nullopt;
    if (!number || *number < 1 || *number > 65535 || !valid_address(login.host))
        throw UsageError("'" + printable(text, 80) +
                         "' is no portal, for example 10.0.0.1 or san1:3260");
    login.port = static_cast<int>(*number);
}

std::string ScsiReply::text() const {
    if (sense) return sense_text(*sense);
    switch (status) {
        case scsi_good: return "good";
        case scsi_check_condition: return "refused without a reason";
        case 0x08: return "busy";
        case scsi_conflict: return "reservation conflict";
        case 0x28: return "its queue is full";
        default: return "SCSI status " + std::to_string(status);
    }
}

class IscsiSession::Impl {
  public:
    Impl(const IscsiLogin& login, Deadline deadline)
        : name_(iscsi_place(login)), context_(iscsi_create_context(login.initiator.c_str())) {
        if (!context_) throw SystemError(name_ + ": no memory for a session");
        iscsi_context* const c = context_.get();
        iscsi_set_noautoreconnect(c, 1);
        std::uint32_t number = login.session & 0xFFFFFF;
        if (number == 0 && getrandom(&number, sizeof number, GRND_INSECURE) != sizeof number)
            number = 1;
        iscsi_set_isid_random(c, number & 0xFFFFFF, 0);
        iscsi_set_header_digest(c, ISCSI_HEADER_DIGEST_NONE_CRC32C);
        if (login.target.empty()) {
            iscsi_set_session_type(c, ISCSI_SESSION_DISCOVERY);
        } else {
            iscsi_set_session_type(c, ISCSI_SESSION_NORMAL);
            if (iscsi_set_targetname(c, login.target.c_str()) != 0)
                throw UsageError(name_ + ": the target's name is too long");
        }
        if (!login.user.empty() &&
            iscsi_set_initiator_username_pwd(c, login.user.c_str(), login.password.c_str()) != 0)
            throw UsageError(name_ + ": user or password is too long");
        if (!login.target_user.empty() &&
            iscsi_set_target_username_pwd(c, login.target_user.c_str(),
                                          login.target_password.c_str()) != 0)
            throw UsageError(name_ + ": the target's user or password is too long");
        connect(login, deadline);
        log_in(deadline);
    }

    ScsiReply command(int lun, const ScsiCommand& command, Deadline deadline) {
        ScsiReply reply = once(lun, command, deadline);
        constexpr std::uint8_t unit_attention = 6;
        if (reply.sense && reply.sense->key == unit_attention) reply = once(lun, command, deadline);
        return reply;
    }

    std::vector<IscsiTarget> discover(Deadline deadline) {
        std::vector<IscsiTarget> out;
        Call& call = start();
        call.targets = &out;
        if (iscsi_discovery_async(context_.get(), finished, &call) != 0)
            throw ProtocolError(name_ + ": " + error());
        const bool answered = pump(call, deadline);
        call.targets = nullptr;
        if (!answered) throw TimedOut(name_ + " answers no discovery");
        if (call.status != SCSI_STATUS_GOOD)
            throw ProtocolError(name_ + ": discovery failed: " + error());
        return out;
    }

    void log_out(Deadline deadline) {
        Call& call = start();
        if (iscsi_logout_async(context_.get(), finished, &call) == 0) pump(call, deadline);
    }

  private:
    Call& start() {
        calls_.emplace_back();
        broken_ = false;
        return calls_.back();
    }

    /// False when the deadline came first. A broken connection ends the call with an error.
    bool pump(Call& call, Deadline deadline) {
        while (!call.done) {
            const Instant now = mono_now();
            if (deadline.passed(now)) return false;
            const auto left = std::chrono::ceil<Duration>(deadline.at - now);
            pollfd wait{iscsi_get_fd(context_.get()),
                        static_cast<short>(iscsi_which_events(context_.get())), 0};
            const int ready =
                poll(&wait, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
            if (ready < 0 && errno != EINTR) break;
            if (ready <= 0) continue;
            if (iscsi_service(context_.get(), wait.revents) < 0) break;
        }
        if (!call.done) {
            call.done = true;
            call.status = SCSI_STATUS_ERROR;
            broken_ = true;
        }
        return true;
    }

    /// What the library says; stale after a success.
    std::string error() const {
        const char* const text = iscsi_get_error(context_.get());
        std::string out = printable(trim(text != nullptr ? text : ""), 160);
        return out.empty() ? "no reason given" : out;
    }

    void connect(const IscsiLogin& login, Deadline deadline) {
        // By a number, so that the library has no name to look up, which might take for ever.
        const auto addresses = resolve(login.host, login.port, AddressFamily::Any, deadline);
        const SocketAddress& address = addresses.front();
        const std::string portal = (address.ipv6 ? "[" + address.text + "]" : address.text) + ":" +
                                   std::to_string(login.port);
        Call& call = start();
        if (iscsi_connect_async(context_.get(), portal.c_str(), finished, &call) != 0)
            throw Unreachable(name_ + ": can't connect: " + error());
        if (!pump(call, deadline))
            throw TimedOut(name_ +
                           " does not answer: network or storage node is down, or a "
                           "firewall swallows it");
        if (call.status != SCSI_STATUS_GOOD)
            throw Unreachable(name_ + " refuses the connection: is the target's service running?");
    }

    void log_in(Deadline deadline) {
        Call& call = start();
        if (iscsi_login_async(context_.get(), finished, &call) != 0)
            throw ProtocolError(name_ + ": can't log in: " + error());
        if (!pump(call, deadline))
            throw TimedOut(name_ + " took the connection and answers no login: the target hangs");
        if (call.status == SCSI_STATUS_GOOD) return;
        const std::string text = error();
        switch (login_status(text).value_or(0)) {
            case 0x0201: throw Denied(name_ + " refuses the login: wrong user or password (CHAP)");
            case 0x0202:
                throw Denied(name_ +
                             " refuses the login: this initiator or address is not allowed");
            case 0x0203:
                throw Unreachable(name_ +
                                  " has no such target: look at its name, and at who is "
                                  "allowed to see it");
            case 0x0301:
            case 0x0302: throw Unreachable(name_ + " has no resources or is not ready: " + text);
            default: break;
        }
        if (lower(text).find("chap") != std::string::npos ||
            lower(text).find("auth") != std::string::npos)
            throw Denied(name_ + ": the login failed: " + text +
                         ": look at the passwords of both sides (mutual CHAP)");
        throw ProtocolError(name_ + ": the login failed: " + text);
    }

    ScsiReply once(int lun, const ScsiCommand& command, Deadline deadline) {
        std::vector<std::uint8_t> cdb = command.cdb;
        std::vector<std::uint8_t> out = command.data;
        const int direction = !out.empty()         ? SCSI_XFER_WRITE
                              : command.asked != 0 ? SCSI_XFER_READ
                                                   : SCSI_XFER_NONE;
        const std::size_t length = !out.empty() ? out.size() : command.asked;
        std::unique_ptr<scsi_task, FreeTask> task(scsi_create_task(
            static_cast<int>(cdb.size()), cdb.data(), direction, static_cast<int>(length)));
        if (!task) throw SystemError(name_ + ": no memory for a command");
        Call& call = start();
        iscsi_data data{out.size(), out.data()};
        if (iscsi_scsi_command_async(context_.get(), lun, task.get(), finished,
                                     out.empty() ? nullptr : &data, &call) != 0)
            throw ProtocolError(name_ + ": can't send: " + error());
        const std::string where = name_ + ", LUN " + std::to_string(lun);
        if (!pump(call, deadline)) {
            // The library still holds the task; both live until the process ends.
            static_cast<void>(task.release());
            throw TimedOut(where + " took a command and does not answer it: the target hangs");
        }
        if (broken_) static_cast<void>(task.release());
        if (broken_ || call.status < 0 || call.status > 0xFF)
            throw ProtocolError(where + ": the connection broke: " + error());
        ScsiReply reply;
        reply.status = static_cast<std::uint8_t>(call.status);
        if (reply.status == scsi_check_condition)
            reply.sense = ScsiSense{static_cast<std::uint8_t>(task->sense.key & 0x0F),
                                    static_cast<std::uint8_t>(task->sense.ascq >> 8 & 0xFF),
                                    static_cast<std::uint8_t>(task->sense.ascq & 0xFF)};
        if (reply.good() && task->datain.data != nullptr && task->datain.size > 0)
            reply.data.assign(task->datain.data, task->datain.data + task->datain.size);
        return reply;
    }

    const std::string name_;
    // In this order: the library may call back while it is being destroyed.
    std::deque<Call> calls_;
    bool broken_ = false;
    std::unique_ptr<iscsi_context, DestroyContext> context_;
};

IscsiSession::IscsiSession(const IscsiLogin& login, Deadline deadline)
    : impl_(std::make_unique<Impl>(login, deadline)) {}

IscsiSession::~IscsiSession() = default;

ScsiReply IscsiSession::command(int lun, const ScsiCommand& command, Deadline deadline) {
    return impl_->command(lun, command, deadline);
}

std::vector<IscsiTarget> IscsiSession::discover(Deadline deadline) {
    return impl_->discover(deadline);
}

void IscsiSession::log_out(Deadline deadline) {
    impl_->log_out(deadline);
}

}  // namespace domkeeper
