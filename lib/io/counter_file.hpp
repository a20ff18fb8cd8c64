// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace domkeeper {

/// What a check noted for its next run; empty when there is no such file yet. At most 1 MiB of it.
/// Throws SystemError when it is there and can't be read.
std::string read_counter_file(const std::string& path);

/// Replaces the file as a whole. Throws SystemError.
void write_counter_file(const std::string& path, const std::string& text);

}  // namespace domkeeper
