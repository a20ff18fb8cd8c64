// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace domkeeper {

/// How a BMC wants to be spoken to. The numbers are those of the IPMI 2.0 specification and, for
/// the workarounds, of libfreeipmi.
struct IpmiManner {
    bool version_2 = true;     ///< RMCP+ ("lanplus"), else IPMI 1.5 ("lan")
    int cipher = 3;            ///< of version 2 (table 22-20)
    int authentication = 2;    ///< of version 1.5: 0 none, 1 MD2, 2 MD5, 4 password (table 22-15)
    int privilege = 4;         ///< 2 user, 3 operator, 4 administrator
    unsigned workarounds = 0;  ///< of the version in use

    friend bool operator==(const IpmiManner&, const IpmiManner&) = default;
};

/// What worked with each BMC, so that only the first session of a process has to search. Safe to
/// share between threads.
class IpmiMemory {
  public:
    std::optional<IpmiManner> recall(const std::string& device) const;
    void keep(const std::string& device, const IpmiManner& manner);
    void forget(const std::string& device);

  private:
    mutable std::mutex mutex_;
    std::map<std::string, IpmiManner> manners_;
};

/// Which manner to try after `tried` failed with libfreeipmi's error `code`; empty: nothing is
/// left that could help. `fixed` are the choices that the user made.
struct IpmiChoices {
    std::optional<bool> version_2;
    std::optional<int> cipher, authentication, privilege;
};
std::vector<IpmiManner> next_manners(const IpmiManner& tried, int code, const IpmiChoices& fixed);

/// IPMI 1.5 (and a lost answer): the BMC says nothing to a wrong password.
bool is_unverified_password(int code);

/// User or password are wrong, and no other manner would change that.
bool is_wrong_login(int code);

/// The BMC refused to open a session, without a reason that the library can name.
bool is_refused_session(int code);

/// Whether error `code` says more about what is wrong than `other`; 0 is no error yet.
bool says_more(int code, int other);

/// What libfreeipmi's error `code` means, in words that say more than its own `library_text`.
std::string explain_ipmi_code(int code, const std::string& library_text, const IpmiManner& manner);

/// Throws UsageError when libfreeipmi can't do this cipher suite.
void check_cipher(int cipher);

}  // namespace domkeeper
