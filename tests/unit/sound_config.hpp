// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <catch2/catch.hpp>
#include <string>

namespace domkeeper::test {

/// Two hosts without a mistake, lines 1 to 21; a case adds its own after them.
inline const std::string sound = R"([[host]]
name = "xen1"
address = "10.0.0.1"
uri = "qemu+tcp://10.0.0.1/system"
fence = [["bmc-xen1"]]
[[host]]
name = "xen2"
address = "10.0.0.2"
uri = "qemu+tcp://10.0.0.2/system"
fence = [["bmc-xen2"]]
[[device]]
name = "bmc-xen1"
agent = "fence_ipmi"
ip = "10.0.0.101"
[[device]]
name = "bmc-xen2"
agent = "fence_ipmi"
ip = "10.0.0.102"
[[domain]]
name = "web1"
priority = 5
)";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace domkeeper::test
