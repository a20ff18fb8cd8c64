// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "lib/core/time.hpp"

namespace domkeeper {

/// Tells the process that started the daemon one line; only the first call counts. It never
/// blocks and never fails, also when nobody listens any more.
using Announce = std::function<void(const std::string& line)>;

struct DaemonOptions {
    std::string log_file;    ///< where stdout and stderr go, appended, absolute; empty: nowhere
    int restarts = 5;        ///< how often a worker that died by a signal is started again
    Duration back_off{200};  ///< before the first restart; doubles with each
};

/// What the caller learns.
struct DaemonStart {
    int supervisor = -1;
    std::string line;    ///< what the worker announced; empty: nothing by the deadline
    bool ended = false;  ///< the daemon ended without a word
};

/// Forks a supervisor into a session of its own and, below it, the worker that runs `body`; the
/// supervisor keeps no file of the caller open. A worker that dies by a signal other than TERM,
/// INT or HUP (kill -9, a crash) is started again; one that returns or throws is not: its
/// return value is the daemon's exit code, 1 after an exception. Returns in the caller only, when
/// the worker has announced, has ended, or at the deadline. The worker's folder is "/", its
/// umask 027.
///
/// Call it while the process has one thread and holds no lock: fork(2) copies neither safely.
/// Throws SystemError when the system refuses.
DaemonStart start_daemon(const std::function<int(const Announce&)>& body,
                         const DaemonOptions& options, Deadline deadline);

}  // namespace domkeeper
