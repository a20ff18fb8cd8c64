// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/ipmi_switch.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <functional>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/background.hpp"
#include "lib/io/ipmi_options.hpp"
#include "lib/io/ipmi_session.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/resolver.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

/// A BMC that is silent for this long gets a new session; half as long again with each.
constexpr Duration first_session_timeout{2'000};
constexpr Duration longest_session_timeout{10'000};
/// Before an answer is late enough to ask whether anybody is there at all.
constexpr Duration soon{50};
/// So often is a manner tried that a BMC says nothing to, when it did answer another.
constexpr int most_silences = 3;
/// So often in a row is one tried again whose answers came doubled or out of order.
constexpr int most_confusions = 30;
/// Enough for every workaround once; a BMC may lock a user out that fails too often.
constexpr std::size_t most_attempts = 10;

Instant now() {
    return real_now().mono;
}

/// Tells a closed port from silence: libfreeipmi's socket is not connected, so that it never hears
/// of an ICMP error. One RMCP presence ping (IPMI 2.0, 13.2.3) from a connected socket does.
class RefusalWatch {
  public:
    explicit RefusalWatch(const SocketAddress& address)
        : fd_(socket(address.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                     0)) {
        static constexpr std::array<unsigned char, 12> ping{0x06, 0x00, 0xFF, 0x06, 0x00, 0x00,
                                                            0x11, 0xBE, 0x80, 0x01, 0x00, 0x00};
        if (!fd_) return;
        if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(address.bytes.data()),
                    address.length) != 0 ||
            send(fd_.get(), ping.data(), ping.size(), MSG_NOSIGNAL) < 0)
            note(errno);
    }

    int fd() const { return fd_.get(); }

    /// Takes in what came; the error that says that nobody is there, 0 for none.
    int refusal() {
        std::array<unsigned char, 64> answer;
        while (fd_ && error_ == 0) {
            if (recv(fd_.get(), answer.data(), answer.size(), 0) >= 0) continue;
            if (errno == EINTR) continue;
            if (errno == EAGAIN) break;
            note(errno);
            break;
        }
        return error_;
    }

  private:
    void note(int error) {
        if (error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
            error == EACCES || error == EPERM)
            error_ = error;
        else
            fd_.reset();
    }

    UniqueFd fd_;
    int error_ = 0;
};

class IpmiSwitch final : public PowerSwitch {
  public:
    IpmiSwitch(IpmiOptions options, std::shared_ptr<IpmiMemory> memory)
        : options_(std::move(options)), memory_(std::move(memory)) {
        name_ = printable(options_.host, 80) + ":" + std::to_string(options_.port);
    }
    ~IpmiSwitch() override {
        try {
            // A session left open would hold one of the few that a BMC has.
            if (session_) discard().wait(Deadline{now() + Duration{250}});
        } catch (const Error&) {
            // No thread for it: the BMC ends it by itself after a minute.
        }
        explicit_bzero(options_.password.data(), options_.password.size());
    }
    IpmiSwitch(const IpmiSwitch&) = delete;
    IpmiSwitch& operator=(const IpmiSwitch&) = delete;

    PowerState read(Deadline deadline) override {
        return call([](IpmiSession& session) { return session.read_power(); }, deadline).state;
    }
    void command(PowerCommand command, Deadline deadline) override {
        call([command](IpmiSession& session) { return session.control(command); }, deadline);
    }

  private:
    using Call = std::function<IpmiAnswer(IpmiSession&)>;

    /// One request and its answer, in a new session when the old one has died.
    IpmiAnswer call(const Call& request, Deadline deadline) {
        for (;;) {
            ensure_session(deadline);
            const IpmiAnswer answer = bounded(request, deadline);
            used_ = now();
            if (answer.code == 0) return answer;
            if (breaks_session(answer.code)) discard();
            if (judge_ipmi_code(answer.code) != IpmiFailure::Silence || deadline.passed(now()))
                fail(answer, manner_);
        }
    }

    /// Runs a call that may block in a thread that owns the session with us. Throws TimedOut at
    /// the deadline, Unreachable as soon as the network says that nobody is there.
    IpmiAnswer bounded(const Call& request, Deadline deadline) {
        Background<IpmiAnswer> background(
            [session = session_, request] { return request(*session); });
        if (!background.wait(deadline.within(now(), soon))) wait_watched(background, deadline);
        return background.take();
    }

    void wait_watched(const Background<IpmiAnswer>& background, Deadline deadline) {
        RefusalWatch watch(address_);
        while (!background.done()) {
            if (const int error = watch.refusal()) {
                session_.reset();
                throw Unreachable(name_ + (error == ECONNREFUSED
                                               ? ": refused: no BMC listens there"
                                               : std::string(": ") + strerrordesc_np(error)));
            }
            const Instant at = now();
            if (deadline.passed(at)) {
                session_.reset();  // the thread has it; it ends by the session's own timeout
                throw TimedOut(name_ + ": no answer");
            }
            std::array<pollfd, 2> fds{{{background.fd(), POLLIN, 0}, {watch.fd(), POLLIN, 0}}};
            const auto span = std::min(deadline.remaining(at) + Duration{1}, Duration{60'000});
            poll(fds.data(), fds.size(), static_cast<int>(span.count()));
        }
    }

    void ensure_session(Deadline deadline) {
        // The library takes a session that was idle for its timeout for dead, after sending the
        // next request: what was sent must not be a surprise later.
        if (session_ && now() - used_ > session_timeout_ * 3 / 4) discard();
        if (session_) return;
        resolve_address(deadline);
        const IpmiManner first = memory_->recall(name_).value_or(options_.first);
        std::deque<IpmiManner> queue{first};
        if (first != options_.first) queue.push_back(options_.first);
        std::vector<IpmiManner> tried;
        IpmiAnswer told;  // the failure that says most
        IpmiManner told_of = first;
        Duration timeout = first_session_timeout;
        int silences = 0;
        int confusions = 0;
        bool unanswered = false;  // a manner that might have worked
        bool verified_twice = false;
        while (!queue.empty() && tried.size() < most_attempts) {
            const IpmiManner manner = queue.front();
            IpmiAnswer answer;
            try {
                answer = open_session(manner, timeout, deadline);
            } catch (const TimedOut&) {
                if (told.code == 0) throw;
                unanswered = true;
                break;
            }
            if (answer.code == 0) {
                manner_ = manner;
                memory_->keep(name_, manner);
                return;
            }
            const IpmiFailure failure = judge_ipmi_code(answer.code);
            // After a clear answer, silence may mean that this manner is not understood.
            const bool again = failure == IpmiFailure::Silence
                                   ? told.code == 0 || ++silences < most_silences
                                   : answer.code == ipmi_confused && ++confusions < most_confusions;
            if (again) {
                if (deadline.passed(now())) fail(answer, manner);
                timeout = std::min(timeout * 3 / 2, longest_session_timeout);
                continue;
            }
            // By IPMI 1.5 a wrong password and a lost answer look the same: look twice.
            if (is_unverified_password(answer.code) && !std::exchange(verified_twice, true))
                continue;
            queue.pop_front();
            silences = 0;
            unanswered =
                unanswered || failure == IpmiFailure::Silence || answer.code == ipmi_confused;
            tried.push_back(manner);
            if (says_more(answer.code, told.code)) {
                told = answer;
                told_of = manner;
            }
            if (deadline.passed(now())) break;
            for (const IpmiManner& next : next_manners(manner, answer.code, options_.fixed))
                if (std::find(tried.begin(), tried.end(), next) == tried.end() &&
                    std::find(queue.begin(), queue.end(), next) == queue.end())
                    queue.push_back(next);
        }
        memory_->forget(name_);
        if (unanswered && !is_wrong_login(told.code))
            throw ProtocolError(
                name_ + ": no session: " + explain_ipmi_code(told.code, told.text, told_of) +
                ", and other ways were not answered");
        fail(told, told_of);
    }

    /// One attempt. A session that did not open is gone afterwards.
    IpmiAnswer open_session(const IpmiManner& manner, Duration timeout, Deadline deadline) {
        session_timeout_ = std::max(Duration{3}, std::min(timeout, deadline.remaining(now())));
        session_ = std::make_shared<IpmiSession>();
        IpmiLogin login{endpoint(), options_.username, options_.password, options_.k_g,
                        options_.target};
        const IpmiAnswer answer = bounded(
            [login = std::move(login), manner,
             span = session_timeout_](IpmiSession& session) mutable {
                IpmiAnswer out = session.open(login, manner, span);
                explicit_bzero(login.password.data(), login.password.size());
                return out;
            },
            deadline);
        used_ = now();
        if (answer.code != 0) session_.reset();
        return answer;
    }

    void resolve_address(Deadline deadline) {
        if (address_.length != 0) return;
        address_ = resolve(options_.host, options_.port, options_.family, deadline).front();
    }

    std::string endpoint() const { return render_endpoint(address_.text, options_.port); }

    /// Lets go of the session; closing it may take the BMC's silence, so not in this thread.
    Background<bool> discard() {
        return Background<bool>([session = std::exchange(session_, nullptr)]() mutable {
            session.reset();
            return true;
        });
    }

    [[noreturn]] void fail(const IpmiAnswer& answer, const IpmiManner& manner) {
        const std::string text =
            name_ + ": " + printable(explain_ipmi_code(answer.code, answer.text, manner), 160);
        switch (judge_ipmi_code(answer.code)) {
            case IpmiFailure::Silence: throw TimedOut(name_ + ": no answer");
            case IpmiFailure::Login: throw Denied(text);
            case IpmiFailure::Unsupported: throw UsageError(text);
            case IpmiFailure::Local:
                // Sending may have failed for want of a route.
                if (RefusalWatch(address_).refusal() != 0)
                    throw Unreachable(name_ + ": can't send there");
                throw SystemError(text);
            case IpmiFailure::None:
            case IpmiFailure::Protocol:
                // What the user chose won't be taken the next time either.
                if (!session_ && options_.fixed.cipher && is_refused_session(answer.code))
                    throw UsageError(text);
                break;
        }
        throw ProtocolError(text);
    }

    IpmiOptions options_;
    std::shared_ptr<IpmiMemory> memory_;
    std::string name_;
    SocketAddress address_;
    std::shared_ptr<IpmiSession> session_;
    IpmiManner manner_;
    Duration session_timeout_{0};
    Instant used_{};
};

}  // namespace

std::unique_ptr<PowerSwitch> open_ipmi_switch(const FenceDevice& device, std::string password,
                                              std::shared_ptr<IpmiMemory> memory) {
    prepare_ipmi();
    return std::make_unique<IpmiSwitch>(parse_ipmi_options(device, std::move(password)),
                                        std::move(memory));
}

}  // namespace domkeeper
