// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sqlite3.h>
#include <sys/types.h>

#include <functional>
#include <string>

namespace domkeeper::test {

/// Runs SQL on a file behind the back of the code under test; returns the last value as text.
std::string raw_sql(const std::string& path, const std::string& sql);

/// Runs `body` in a child process and returns its wait status.
int in_child(const std::function<void()>& body);

/// The message of the SystemError that `body` throws; "no error" when it throws none.
std::string system_error_of(const std::function<void()>& body);

/// Runs `body` as the user nobody where we are root, for files that root can always read.
void as_nobody(const std::function<void()>& body);

/// Fills a filesystem of `kilobytes` in a child's own mount namespace, mounted on `folder`: runs
/// `body` there and returns what it returned; "SKIPPED" where no such namespace may be made.
std::string on_small_disk(const std::string& folder, int kilobytes,
                          const std::function<std::string()>& body);

}  // namespace domkeeper::test
