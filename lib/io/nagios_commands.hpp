// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/port/downtime.hpp"

namespace domkeeper {

/// Downtimes by the external command file of Nagios, which Icinga 2 has too (its feature
/// "command"): a FIFO that takes lines "[time] COMMAND;arguments"
/// (assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/extcommands.html).
class NagiosCommands final : public Downtime {
  public:
    /// An empty path: no monitor is told anything.
    explicit NagiosCommands(std::string path) : path_(std::move(path)) {}

    std::string begin(const std::string& host, TimePoint now, Duration length,
                      const std::string& who, const std::string& text) override;
    std::string end(const std::string& host, TimePoint now) override;

  private:
    void write_lines(const std::string& lines) const;
    std::string path_;
};

/// The lines for one downtime of a host and its services. What could end a field or a line is
/// taken out of the texts.
std::string downtime_begins(const std::string& host, TimePoint now, Duration length,
                            const std::string& who, const std::string& text);
std::string downtime_ends(const std::string& host, TimePoint now);

}  // namespace domkeeper
