// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/user.hpp"

#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string name_of(uid_t uid) {
    std::array<char, 16384> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        return found->pw_name;
    return "uid " + std::to_string(uid);
}

/// Of the terminal's session; empty without one.
std::string login_name() {
    std::array<char, 256> buffer{};
    return getlogin_r(buffer.data(), buffer.size()) == 0 ? buffer.data() : "";
}

}  // namespace

std::string user_name() {
    const uid_t uid = getuid();
    const std::string name = name_of(uid);
    if (uid != 0) return printable(name, 64);
    // Only root's word is taken for who became root: anybody else can set the variable.
    const char* sudo = std::getenv("SUDO_USER");
    std::string before = sudo && *sudo ? sudo : login_name();
    if (before.empty() || before == name) return printable(name, 64);
    return printable(before, 64) + " as " + printable(name, 64);
}

}  // namespace domkeeper
