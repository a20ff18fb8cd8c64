// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/pdu.hpp"

namespace domkeeper {

/// A family from the text of its file (TOML); `name` is the file's name without ".toml". Throws
/// UsageError "apc_rpdu.toml: line 3: ..." for the first mistake.
PduFamily parse_pdu_family(const std::string& text, const std::string& name);

/// Where families are looked for, the user's own first: /etc/domkeeper/pdu, then
/// share/domkeeper/pdu beside the folder of this program or of one of those above it.
std::vector<std::string> pdu_family_folders();

/// The family of that name. Throws UsageError when there is none, naming those there are, or when
/// its file is wrong; SystemError when it can't be read or anybody may write to it.
PduFamily load_pdu_family(const std::string& name, const std::vector<std::string>& folders);

/// All families; of two with one name the first. Throws as above.
std::vector<PduFamily> load_pdu_families(const std::vector<std::string>& folders);

}  // namespace domkeeper
