// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/core/time.hpp"
#include "lib/port/notifier.hpp"

namespace domkeeper {

/// Writes each text to syslog and gives it to a command on stdin, in a thread of its own and in
/// order. A command that takes longer than the limit is killed. At most 64 texts wait; more are
/// dropped, and syslog says so.
class CommandNotifier final : public Notifier {
  public:
    /// `command`: path and arguments; empty: syslog alone. `ident` names the program in syslog.
    CommandNotifier(std::string ident, std::vector<std::string> command,
                    Duration limit = Duration{10'000});
    /// Hands out what still waits, for at most the limit.
    ~CommandNotifier() override;
    CommandNotifier(const CommandNotifier&) = delete;
    CommandNotifier& operator=(const CommandNotifier&) = delete;

    void notify(const std::string& text) override;

  private:
    void work();
    void hand_out(const std::string& text, Deadline deadline);

    const std::string ident_;
    const std::vector<std::string> command_;
    const Duration limit_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> waiting_;
    std::size_t dropped_ = 0;
    bool stopping_ = false;
    Instant stop_by_{};
    std::thread thread_;  ///< started by the first text, so that none runs before a fork
};

}  // namespace domkeeper
