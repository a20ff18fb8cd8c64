// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/network_prober.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/background.hpp"
#include "lib/io/ping_socket.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {
namespace {

constexpr int rounds = 3;
/// Per target; more would only cost descriptors.
constexpr std::size_t most_ports = 8;

using Addresses = std::vector<SocketAddress>;

/// A TCP connection on its way.
struct Dial {
    std::size_t target = 0;
    int port = 0;
    UniqueFd fd;
};

struct TargetState {
    const ProbeTarget* target = nullptr;
    std::optional<Background<Addresses>> lookup;
    std::optional<SocketAddress> address;
    EchoCookie cookie{};
    int pings = 0;
    int dials = 0;
    int rounds_done = 0;
    std::string trouble;  ///< the newest reason why something could not be sent
    std::optional<std::string> sign;
};

int family_of(const SocketAddress& address) {
    return address.ipv6 ? AF_INET6 : AF_INET;
}

SocketAddress with_port(SocketAddress address, int port) {
    const std::uint16_t wire = htons(static_cast<std::uint16_t>(port));
    // The port stands at the same place in both kinds of address.
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    std::memcpy(address.bytes.data() + offsetof(sockaddr_in, sin_port), &wire, sizeof wire);
    return address;
}

/// The far side said no, which takes somebody alive to say.
bool is_sign_of_life(int error) {
    return error == ECONNREFUSED || error == ECONNRESET;
}

class Look {
  public:
    Look(const std::vector<ProbeTarget>& targets, Deadline deadline)
        : start_(real_now().mono), deadline_(deadline) {
        states_.resize(targets.size());
        for (std::size_t i = 0; i < targets.size(); ++i) begin(i, targets[i]);
    }

    std::vector<ProbeReport> run() {
        for (;;) {
            const Instant now = real_now().mono;
            for (std::size_t i = 0; i < states_.size(); ++i) send_due(i, now);
            if (settled() || deadline_.passed(now)) break;
            wait(now);
        }
        std::vector<ProbeReport> reports;
        for (const TargetState& state : states_) reports.push_back(report(state));
        return reports;
    }

  private:
    void begin(std::size_t i, const ProbeTarget& target) {
        TargetState& state = states_[i];
        state.target = &target;
        const auto number = static_cast<std::uint32_t>(i);
        std::memcpy(state.cookie.data(), &number, sizeof number);
        if (getrandom(state.cookie.data() + sizeof number, state.cookie.size() - sizeof number,
                      GRND_INSECURE) < 0)
            state.trouble = "no random numbers";
        try {
            // A numeric address is known at once, and needs no thread.
            state.address = parse_numeric(target.address, 0);
            if (!state.address)
                state.lookup.emplace([address = target.address, deadline = deadline_] {
                    return resolve(address, 0, AddressFamily::Any, deadline);
                });
        } catch (const Error& error) {
            state.trouble = error.what();
        }
    }

    /// When round `number` is due.
    Instant due(int number) const { return start_ + (deadline_.at - start_) * number / rounds; }

    void send_due(std::size_t i, Instant now) {
        TargetState& state = states_[i];
        if (state.sign || !state.address) return;
        int number = state.rounds_done;
        while (number < rounds && now >= due(number)) ++number;
        if (number == state.rounds_done) return;
        state.rounds_done = number;
        if (!state.target->only_tcp) ping(state);
        std::size_t used = 0;
        for (const int port : state.target->tcp_ports) {
            if (state.sign || used++ == most_ports) break;
            dial(i, port);
        }
    }

    void ping(TargetState& state) {
        std::optional<PingSocket>& socket = state.address->ipv6 ? v6_ : v4_;
        if (!socket) socket.emplace(state.address->ipv6 ? IpVersion::V6 : IpVersion::V4);
        int error = 0;
        if (socket->fd() < 0) {
            state.trouble = socket->trouble();
            return;
        }
        error = socket->send(*state.address, static_cast<std::uint16_t>(state.rounds_done),
                             state.cookie);
        if (error == 0)
            ++state.pings;
        else
            state.trouble = std::string("ping: ") + std::strerror(error);
    }

    void dial(std::size_t i, int port) {
        TargetState& state = states_[i];
        const std::string name = "tcp " + std::to_string(port);
        if (port < 1 || port > 65535) {
            state.trouble = name + ": no such port";
            return;
        }
        const SocketAddress address = with_port(*state.address, port);
        Dial dial{
            i, port,
            UniqueFd(socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
        int error = 0;
        if (!dial.fd)
            error = errno;
        else if (connect(dial.fd.get(), reinterpret_cast<const sockaddr*>(address.bytes.data()),
                         address.length) != 0)
            error = errno;
        if (error == EINPROGRESS) {
            ++state.dials;
            dials_.push_back(std::move(dial));
        } else {
            finish(state, port, error, true);
        }
    }

    /// A connection attempt is over. `at_once`: our own system said so before anything was sent,
    /// unless the far side is this machine.
    void finish(TargetState& state, int port, int error, bool at_once) {
        const std::string name = "tcp " + std::to_string(port);
        if (error == 0)
            state.sign = name + " open";
        else if (is_sign_of_life(error) && !state.target->only_tcp)
            state.sign = name + " refused";
        else if (is_sign_of_life(error))
            state.trouble = name + " is refused";
        else if (at_once)
            state.trouble = name + ": " + std::strerror(error);
        if (at_once && (state.sign || is_sign_of_life(error))) ++state.dials;
    }

    bool settled() const {
        return std::all_of(states_.begin(), states_.end(),
                           [](const TargetState& state) { return state.sign.has_value(); });
    }

    /// Blocks until something arrives, a round is due or the time is over.
    void wait(Instant now) {
        std::vector<pollfd> fds;
        for (const auto* socket : {&v4_, &v6_})
            fds.push_back({*socket ? (*socket)->fd() : -1, POLLIN, 0});
        for (const Dial& dial : dials_) fds.push_back({dial.fd.get(), POLLOUT, 0});
        for (const TargetState& state : states_)
            fds.push_back({state.lookup ? state.lookup->fd() : -1, POLLIN, 0});
        Instant until = deadline_.at;
        for (int number = 0; number < rounds; ++number)
            if (due(number) > now) until = std::min(until, due(number));
        const auto span = std::chrono::ceil<Duration>(until - now);
        poll(fds.data(), fds.size(), static_cast<int>(std::min(span, Duration{60'000}).count()));

        for (auto* socket : {&v4_, &v6_})
            if (*socket && (*socket)->fd() >= 0)
                (*socket)->receive(
                    [this](const SocketAddress& from, const Echo& echo) { hear(from, echo); });
        // From the end, so that removing one does not move those that are still to be seen.
        for (std::size_t d = dials_.size(); d-- > 0;)
            if (fds[2 + d].revents != 0) end_dial(d);
        for (TargetState& state : states_) end_lookup(state);
    }

    void hear(const SocketAddress& from, const Echo& echo) {
        std::uint32_t number = 0;
        std::memcpy(&number, echo.cookie.data(), sizeof number);
        if (number >= states_.size()) return;
        TargetState& state = states_[number];
        if (state.sign || !state.address || echo.cookie != state.cookie || echo.sequence < 1 ||
            echo.sequence > state.rounds_done || !same_host(from, *state.address))
            return;
        state.sign = "ping";
    }

    void end_dial(std::size_t d) {
        int error = 0;
        socklen_t length = sizeof error;
        if (getsockopt(dials_[d].fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0)
            error = errno;
        TargetState& state = states_[dials_[d].target];
        if (!state.sign) finish(state, dials_[d].port, error, false);
        dials_.erase(dials_.begin() + static_cast<std::ptrdiff_t>(d));
    }

    static void end_lookup(TargetState& state) {
        if (!state.lookup || !state.lookup->done()) return;
        try {
            state.address = state.lookup->take().front();
        } catch (const Error& error) {
            state.trouble = error.what();
        }
        state.lookup.reset();
    }

    static ProbeReport report(const TargetState& state) {
        ProbeReport out;
        if (state.sign) {
            out.answered = true;
            out.evidence = *state.sign;
            return out;
        }
        out.asked = state.pings > 0 || state.dials > 0;
        if (out.asked) {
            std::vector<std::string> tried;
            if (state.pings > 0)
                tried.push_back(counted(static_cast<std::size_t>(state.pings), "ping"));
            if (state.dials > 0)
                tried.push_back(counted(static_cast<std::size_t>(state.dials), "TCP connection"));
            out.evidence = "no answer to " + join(tried, " and ");
            if (state.target->only_tcp && !state.trouble.empty())
                out.evidence += ": " + state.trouble;
        } else if (!state.trouble.empty()) {
            out.evidence = "not asked: " + printable(state.trouble, 160);
        } else {
            out.evidence = "not asked: no answer to the look-up of its name";
        }
        return out;
    }

    const Instant start_;
    const Deadline deadline_;
    std::vector<TargetState> states_;
    std::vector<Dial> dials_;
    std::optional<PingSocket> v4_;
    std::optional<PingSocket> v6_;
};

}  // namespace

std::vector<ProbeReport> NetworkProber::look(const std::vector<ProbeTarget>& targets,
                                             Deadline deadline) {
    return Look(targets, deadline).run();
}

}  // namespace domkeeper
