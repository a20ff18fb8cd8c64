// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_session.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_wire.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {

std::string iscsi_place(const IscsiLogin& login) {
    const std::string portal = render_endpoint(login.host, login.port);
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
    Impl(const IscsiLogin& login, Deadline deadline) : wire_(login) {
        const auto addresses = resolve(login.host, login.port, AddressFamily::Any, deadline);
        const IscsiWire::Call& connected = wire_.connect(addresses.front().text, login.port);
        pump(connected, deadline);
        wire_.judge_connect(connected);
        const IscsiWire::Call& logged_in = wire_.log_in();
        pump(logged_in, deadline);
        wire_.judge_login(logged_in);
    }

    ScsiReply command(int lun, const ScsiCommand& command, Deadline deadline) {
        ScsiReply reply = once(lun, command, deadline);
        if (reply.is_unit_attention()) reply = once(lun, command, deadline);
        return reply;
    }

    std::vector<IscsiTarget> discover(Deadline deadline) {
        std::vector<IscsiTarget> out;
        IscsiWire::Call& call = wire_.discover(out);
        pump(call, deadline);
        call.targets = nullptr;
        wire_.judge_discovery(call);
        return out;
    }

    void log_out(Deadline deadline) {
        if (const IscsiWire::Call* call = wire_.log_out()) pump(*call, deadline);
    }

  private:
    /// Until the call is done or the deadline has come.
    void pump(const IscsiWire::Call& call, Deadline deadline) {
        wire_.flush();
        while (!call.done) {
            const Instant now = mono_now();
            if (deadline.passed(now)) return;
            const auto left = std::chrono::ceil<Duration>(deadline.at - now);
            pollfd wait{wire_.fd(), wire_.events(), 0};
            const int ready =
                poll(&wait, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
            if (ready < 0 && errno != EINTR) return;
            if (ready > 0) wire_.service(wait.revents);
        }
    }

    ScsiReply once(int lun, const ScsiCommand& command, Deadline deadline) {
        const IscsiWire::Call& call = wire_.command(lun, command);
        pump(call, deadline);
        ScsiReply reply = wire_.reply(call);
        wire_.forget_done();
        return reply;
    }

    IscsiWire wire_;
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
