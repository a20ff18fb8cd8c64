// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_wire.hpp"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <iterator>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_targets = 10'000;

/// The library's word that a call ended.
void finished(iscsi_context*, int status, void* data, void* private_data) {
    IscsiWire::Call& call = *static_cast<IscsiWire::Call*>(private_data);
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

void IscsiWire::FreeTask::operator()(scsi_task* task) const {
    scsi_free_scsi_task(task);
}

void IscsiWire::DestroyContext::operator()(iscsi_context* context) const {
    iscsi_destroy_context(context);
}

IscsiWire::IscsiWire(const IscsiLogin& login)
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
}

IscsiWire::Call& IscsiWire::begin() {
    calls_.emplace_back();
    return calls_.back();
}

IscsiWire::Call& IscsiWire::connect(const std::string& address, int port) {
    // By a number, so that the library has no name to look up, which might take for ever.
    const std::string portal = render_endpoint(address, port);
    Call& call = begin();
    if (iscsi_connect_async(context_.get(), portal.c_str(), finished, &call) != 0)
        throw Unreachable(name_ + ": can't connect: look at this machine's network: " + error());
    return call;
}

IscsiWire::Call& IscsiWire::log_in() {
    connected_ = true;
    Call& call = begin();
    if (iscsi_login_async(context_.get(), finished, &call) != 0)
        throw ProtocolError(name_ + ": can't log in: " + error());
    return call;
}

IscsiWire::Call& IscsiWire::discover(std::vector<IscsiTarget>& targets) {
    Call& call = begin();
    call.targets = &targets;
    if (iscsi_discovery_async(context_.get(), finished, &call) != 0)
        throw ProtocolError(name_ + ": " + error());
    return call;
}

IscsiWire::Call* IscsiWire::log_out() {
    Call& call = begin();
    return iscsi_logout_async(context_.get(), finished, &call) == 0 ? &call : nullptr;
}

IscsiWire::Call& IscsiWire::command(int lun, ScsiCommand command) {
    Call& call = begin();
    call.lun = lun;
    call.out = std::move(command.data);
    const int direction = !call.out.empty()    ? SCSI_XFER_WRITE
                          : command.asked != 0 ? SCSI_XFER_READ
                                               : SCSI_XFER_NONE;
    const std::size_t length = !call.out.empty() ? call.out.size() : command.asked;
    call.task.reset(scsi_create_task(static_cast<int>(command.cdb.size()), command.cdb.data(),
                                     direction, static_cast<int>(length)));
    if (!call.task) throw SystemError(name_ + ": no memory for a command");
    iscsi_data data{call.out.size(), call.out.data()};
    if (iscsi_scsi_command_async(context_.get(), lun, call.task.get(), finished,
                                 call.out.empty() ? nullptr : &data, &call) != 0)
        throw ProtocolError(name_ + ": can't send: " + error());
    return call;
}

void IscsiWire::forget_done() {
    // The library speaks of the first, the connecting, a second time when the connection ends.
    if (calls_.empty()) return;
    for (auto call = std::next(calls_.begin()); call != calls_.end();)
        call = call->done ? calls_.erase(call) : std::next(call);
}

int IscsiWire::fd() const {
    return iscsi_get_fd(context_.get());
}

short IscsiWire::events() const {
    return static_cast<short>(iscsi_which_events(context_.get()));
}

void IscsiWire::service(short revents) {
    if (iscsi_service(context_.get(), revents) >= 0) return;
    broken_ = true;
    for (Call& call : calls_) {
        if (call.done) continue;
        call.done = true;
        call.status = SCSI_STATUS_ERROR;
    }
}

void IscsiWire::flush() {
    if ((events() & POLLOUT) == 0) return;
    // The library believes what it is told: a socket that is still connecting would be taken for
    // connected, and a silent network for a target that hangs.
    if (!connected_) {
        pollfd wait{fd(), POLLOUT, 0};
        if (poll(&wait, 1, 0) > 0) service(wait.revents);
        return;
    }
    // The library sends each command by itself.
    const bool several = iscsi_out_queue_length(context_.get()) > 1;
    if (several) hold(true);
    service(POLLOUT);
    if (several) hold(false);
}

void IscsiWire::hold(bool held) {
    const int on = held ? 1 : 0;
    // Refused, it is slower and no worse.
    setsockopt(fd(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/// What the library says; stale after a success.
std::string IscsiWire::error() const {
    const char* const text = iscsi_get_error(context_.get());
    std::string out = printable(trim(text != nullptr ? text : ""), 160);
    return out.empty() ? "no reason given" : out;
}

void IscsiWire::judge_connect(const Call& call) const {
    if (!call.done)
        throw TimedOut(name_ +
                       " does not answer: network or storage node is down, or a firewall swallows "
                       "it");
    if (call.status != SCSI_STATUS_GOOD)
        throw Unreachable(name_ + " refuses the connection: is the target's service running?");
}

void IscsiWire::judge_login(const Call& call) const {
    if (!call.done)
        throw TimedOut(name_ +
                       " took the connection and answers no login: the target hangs, look at "
                       "its process and disks");
    if (call.status == SCSI_STATUS_GOOD) return;
    const std::string text = error();
    switch (login_status(text).value_or(0)) {
        case 0x0201:
            throw Denied(name_ +
                         " refuses the login: wrong user or password (CHAP): look at both "
                         "sides' accounts");
        case 0x0202:
            throw Denied(name_ +
                         " refuses the login: this initiator or address is not allowed: let it in "
                         "at the target");
        case 0x0203:
            throw Unreachable(name_ +
                              " has no such target: look at its name, and at who is "
                              "allowed to see it");
        case 0x0301:
        case 0x0302:
            throw Unreachable(name_ + " has no resources or is not ready: " + text +
                              ": look at the target's log");
        default: break;
    }
    if (lower(text).find("chap") != std::string::npos ||
        lower(text).find("auth") != std::string::npos)
        throw Denied(name_ + ": the login failed: " + text +
                     ": look at the passwords of both sides (mutual CHAP)");
    throw ProtocolError(name_ + ": the login failed: " + text);
}

void IscsiWire::judge_discovery(const Call& call) const {
    if (!call.done)
        throw TimedOut(name_ + " answers no discovery: the target hangs, look at its process");
    if (call.status != SCSI_STATUS_GOOD)
        throw ProtocolError(name_ + ": discovery failed: " + error());
}

ScsiReply IscsiWire::reply(const Call& call) const {
    const auto where = [&] { return name_ + ", LUN " + std::to_string(call.lun); };
    if (!call.done)
        throw TimedOut(where() +
                       " took a command and does not answer it: the target hangs, look at its "
                       "disk");
    if (broken_ || call.status < 0 || call.status > 0xFF)
        throw ProtocolError(where() + ": the connection broke: " + error() +
                            ": look at the target's log and the network");
    ScsiReply reply;
    reply.status = static_cast<std::uint8_t>(call.status);
    const scsi_task& task = *call.task;
    if (reply.status == scsi_check_condition)
        reply.sense = ScsiSense{static_cast<std::uint8_t>(task.sense.key & 0x0F),
                                static_cast<std::uint8_t>(task.sense.ascq >> 8 & 0xFF),
                                static_cast<std::uint8_t>(task.sense.ascq & 0xFF)};
    if (reply.good() && task.datain.data != nullptr && task.datain.size > 0)
        reply.data.assign(task.datain.data, task.datain.data + task.datain.size);
    return reply;
}

}  // namespace domkeeper
