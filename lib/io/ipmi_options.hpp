// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/io/ipmi_manner.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {

/// The options of an IPMI fence device, checked.
struct IpmiOptions {
    std::string host;
    int port = 623;
    AddressFamily family = AddressFamily::Any;
    std::string username;
    std::string password;
    std::vector<unsigned char> k_g;      ///< empty or 20 bytes
    std::optional<std::uint8_t> target;  ///< bridge to this slave address
    IpmiManner first;                    ///< to be tried first
    IpmiChoices fixed;                   ///< what may not be changed while searching
};

/// Throws UsageError that names the option and what would be right.
IpmiOptions parse_ipmi_options(const FenceDevice& device, std::string password);

}  // namespace domkeeper
