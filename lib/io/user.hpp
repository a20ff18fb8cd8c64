// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace domkeeper {

/// Who runs this program, for the journal: of root, who became root (sudo, su) where that is
/// known, as "alice as root"; else the user's name, or "uid 1234" without one. Printable.
std::string user_name();

}  // namespace domkeeper
