// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/power.hpp"
#include "lib/core/time.hpp"
#include "lib/io/ipmi_manner.hpp"

namespace domkeeper {

/// Whom a session is opened with.
struct IpmiLogin {
    std::string endpoint;  ///< numeric address and port as libfreeipmi reads it
    std::string username;
    std::string password;
    std::vector<unsigned char> k_g;      ///< empty or 20 bytes
    std::optional<std::uint8_t> target;  ///< bridge to this slave address
};

/// Not of the library: it failed without an error number, which is worth another try.
constexpr int ipmi_confused = -1;

/// What a call of the library came to: its error number, 0 for none, and the text for it.
struct IpmiAnswer {
    int code = 0;
    std::string text;
    PowerState state = PowerState::Unknown;
};

/// Readies the library's cryptography once, before threads use it. Throws SystemError.
void prepare_ipmi();

/// One session of libfreeipmi. Calls block until answered or until the session's own timeout,
/// which starts anew with every packet received.
class IpmiSession {
  public:
    IpmiSession();
    ~IpmiSession();
    IpmiSession(const IpmiSession&) = delete;
    IpmiSession& operator=(const IpmiSession&) = delete;

    IpmiAnswer open(const IpmiLogin& login, const IpmiManner& manner, Duration timeout);
    IpmiAnswer read_power();
    IpmiAnswer control(PowerCommand command);

  private:
    struct Context;
    IpmiAnswer answer(bool ok) const;
    std::unique_ptr<Context> context_;
};

/// Why libfreeipmi failed, in the project's own terms.
enum class IpmiFailure {
    None,
    Silence,      ///< no answer
    Login,        ///< user, password, key or privilege refused
    Unsupported,  ///< cipher suite, authentication type or version not offered
    Local,        ///< this machine failed, or could not send
    Protocol      ///< all else that a BMC may answer
};
IpmiFailure judge_ipmi_code(int code);
/// The session is of no use any more.
bool breaks_session(int code);

}  // namespace domkeeper
