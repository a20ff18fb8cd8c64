// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace domkeeper {

/// The first line of a secrets file, without its line end. Throws Denied when it is not a regular
/// file, when others (not owner, not group) may read or write it, when the group may write it, or
/// when this user may not read it; SystemError when it isn't there, is empty or holds a line of
/// more than 1024 bytes or a zero byte. No error ever shows a byte of its content.
std::string read_secret_file(const std::string& path);

/// The same rules without handing the secret out: for check-config. Throws as above.
void check_secret_file(const std::string& path);

}  // namespace domkeeper
