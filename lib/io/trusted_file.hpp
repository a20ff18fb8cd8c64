// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

namespace domkeeper {

/// The bytes of a file that not everybody may write to; empty when there is none. `what` it should
/// be ("cluster file") stands in the errors. Throws SystemError with the reason alone, without the
/// file's name: unreadable, no regular file, open to everybody, larger than `longest` bytes.
std::optional<std::string> read_trusted_file(const std::string& path, std::size_t longest,
                                             const std::string& what);

}  // namespace domkeeper
