// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>

#include "lib/io/resolver.hpp"
#include "lib/port/snmp.hpp"

namespace domkeeper {

enum class SnmpVersion { V1, V2c, V3 };
enum class SnmpSecurity { NoAuthNoPriv, AuthNoPriv, AuthPriv };

/// Whom to ask and how.
struct SnmpLogin {
    std::string host;
    int port = 161;
    AddressFamily family = AddressFamily::Any;
    SnmpVersion version = SnmpVersion::V1;
    std::string community;  ///< of versions 1 and 2c
    // of version 3 (RFC 3414)
    std::string username;
    SnmpSecurity security = SnmpSecurity::NoAuthNoPriv;
    std::string auth_protocol = "MD5";  ///< MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512
    std::string auth_password;
    std::string priv_protocol = "DES";  ///< DES, AES (128 bits)
    std::string priv_password;
};

/// True when net-snmp can do this protocol of authentication, or of privacy.
bool knows_auth_protocol(const std::string& name);
bool knows_priv_protocol(const std::string& name);

/// A session by net-snmp. Sends nothing yet; the first call opens it (version 3 asks for the
/// engine's identity first). Reads and writes no file and loads no MIB. Its calls are safe beside
/// those of other sessions in other threads: the library's own calls take turns, waiting does not.
/// A lost question is asked again every 400 ms until the deadline.
std::unique_ptr<Snmp> open_snmp(SnmpLogin login);

}  // namespace domkeeper
