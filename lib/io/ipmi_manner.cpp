// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/ipmi_manner.hpp"

#include <freeipmi/freeipmi.h>

#include "lib/core/error.hpp"

namespace domkeeper {

std::optional<IpmiManner> IpmiMemory::recall(const std::string& device) const {
    const std::lock_guard lock(mutex_);
    const auto found = manners_.find(device);
    if (found == manners_.end()) return std::nullopt;
    return found->second;
}

void IpmiMemory::keep(const std::string& device, const IpmiManner& manner) {
    const std::lock_guard lock(mutex_);
    manners_.insert_or_assign(device, manner);
}

void IpmiMemory::forget(const std::string& device) {
    const std::lock_guard lock(mutex_);
    manners_.erase(device);
}

bool is_unverified_password(int code) {
    return code == IPMI_ERR_PASSWORD_VERIFICATION_TIMEOUT;
}

bool is_wrong_login(int code) {
    return code == IPMI_ERR_USERNAME_INVALID || code == IPMI_ERR_PASSWORD_INVALID;
}

bool is_refused_session(int code) {
    return code == IPMI_ERR_IPMI_ERROR;
}

bool says_more(int code, int other) {
    const auto weight = [](int error) {
        switch (error) {
            case IPMI_ERR_SUCCESS: return 0;
            case IPMI_ERR_CONNECTION_TIMEOUT:
            case IPMI_ERR_SESSION_TIMEOUT: return 1;
            case IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED:
            case IPMI_ERR_IPMI_ERROR:
            case IPMI_ERR_BAD_RMCPPLUS_STATUS_CODE: return 2;
            case IPMI_ERR_USERNAME_INVALID:
            case IPMI_ERR_PASSWORD_INVALID: return 4;
            default: return 3;
        }
    };
    return weight(code) > weight(other);
}

std::string explain_ipmi_code(int code, const std::string& library_text, const IpmiManner& manner) {
    switch (code) {
        case IPMI_ERR_USERNAME_INVALID: return "unknown user";
        case IPMI_ERR_PASSWORD_INVALID: return "wrong password";
        case IPMI_ERR_PASSWORD_VERIFICATION_TIMEOUT:
            return "no answer to the password: most likely it is wrong";
        case IPMI_ERR_PRIVILEGE_LEVEL_INSUFFICIENT:
            return "the user's privilege level does not allow it";
        case IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED:
            return "the user may not have the privilege level that was asked for";
        case IPMI_ERR_CIPHER_SUITE_ID_UNAVAILABLE:
            return "cipher suite " + std::to_string(manner.cipher) + " is not offered";
        case IPMI_ERR_IPMI_ERROR:
            return "the session was refused; cipher suite " + std::to_string(manner.cipher) +
                   " may not be offered";
        case IPMI_ERR_AUTHENTICATION_TYPE_UNAVAILABLE:
            return "the authentication type is not offered";
        case IPMI_ERR_IPMI_2_0_UNAVAILABLE: return "IPMI 2.0 is not offered";
        default: return library_text;
    }
}

std::vector<IpmiManner> next_manners(const IpmiManner& tried, int code, const IpmiChoices& fixed) {
    std::vector<IpmiManner> next;
    const auto propose = [&](const auto& change) {
        IpmiManner manner = tried;
        change(manner);
        if (manner != tried) next.push_back(manner);
    };
    if (!tried.version_2) {
        if (code == IPMI_ERR_AUTHENTICATION_TYPE_UNAVAILABLE && !fixed.authentication &&
            tried.authentication == IPMI_AUTHENTICATION_TYPE_MD5)
            propose([](IpmiManner& m) { m.authentication = IPMI_AUTHENTICATION_TYPE_MD2; });
        if (code == IPMI_ERR_USERNAME_INVALID || code == IPMI_ERR_AUTHENTICATION_TYPE_UNAVAILABLE)
            propose([](IpmiManner& m) {
                m.workarounds |= IPMI_WORKAROUND_FLAGS_OUTOFBAND_AUTHENTICATION_CAPABILITIES;
            });
        if (code == IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED && !fixed.privilege &&
            tried.privilege == IPMI_PRIVILEGE_LEVEL_ADMIN)
            propose([](IpmiManner& m) { m.privilege = IPMI_PRIVILEGE_LEVEL_OPERATOR; });
        return next;
    }
    // Which error hints at which workaround: ipmipower(8), "WORKAROUNDS"; that of the privilege
    // level was measured with OpenIPMI's simulator.
    constexpr unsigned open_privilege = IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_OPEN_SESSION_PRIVILEGE;
    constexpr unsigned capabilities =
        IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_AUTHENTICATION_CAPABILITIES;
    const bool key_trouble = code == IPMI_ERR_PASSWORD_INVALID || code == IPMI_ERR_K_G_INVALID;
    const bool no_privilege = code == IPMI_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED;
    const bool refused = code == IPMI_ERR_CIPHER_SUITE_ID_UNAVAILABLE ||
                         code == IPMI_ERR_IPMI_ERROR || code == IPMI_ERR_BAD_RMCPPLUS_STATUS_CODE;
    if (key_trouble || no_privilege || code == IPMI_ERR_BAD_RMCPPLUS_STATUS_CODE)
        propose([](IpmiManner& m) { m.workarounds |= open_privilege; });
    if (code == IPMI_ERR_USERNAME_INVALID || code == IPMI_ERR_K_G_INVALID ||
        code == IPMI_ERR_AUTHENTICATION_TYPE_UNAVAILABLE)
        propose([](IpmiManner& m) { m.workarounds |= capabilities; });
    // Suite 3 is the one that every IPMI 2.0 device must have; newer ones may have it switched off.
    if (refused && !fixed.cipher && tried.cipher == 3)
        propose([](IpmiManner& m) { m.cipher = 17; });
    if (code == IPMI_ERR_IPMI_2_0_UNAVAILABLE && !fixed.version_2)
        propose([](IpmiManner& m) {
            m.version_2 = false;
            m.workarounds = 0;
        });
    if (no_privilege && (tried.workarounds & open_privilege) != 0 && !fixed.privilege &&
        tried.privilege == IPMI_PRIVILEGE_LEVEL_ADMIN)
        propose([](IpmiManner& m) {
            m.privilege = IPMI_PRIVILEGE_LEVEL_OPERATOR;
            m.workarounds = 0;
        });
    if (code == IPMI_ERR_K_G_INVALID && tried.cipher == 0)
        propose([](IpmiManner& m) {
            m.workarounds |= IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_NON_EMPTY_INTEGRITY_CHECK_VALUE;
        });
    // The rest is of old devices, and each try is a failed login to a device that merely has
    // another password: one round of them, no combinations.
    if (code == IPMI_ERR_PASSWORD_INVALID && tried.workarounds == open_privilege)
        for (const int quirk : {IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_SUN_2_0_SESSION,
                                IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_SUPERMICRO_2_0_SESSION,
                                IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_INTEL_2_0_SESSION})
            propose([quirk](IpmiManner& m) { m.workarounds = static_cast<unsigned>(quirk); });
    return next;
}

void check_cipher(int cipher) {
    if (cipher < 0 || cipher > 255 || !IPMI_CIPHER_SUITE_ID_SUPPORTED(cipher))
        throw UsageError("cipher suite " + std::to_string(cipher) +
                         " is not known; it is one of 0-3, 6-8, 11, 12, 15-17");
}

}  // namespace domkeeper
