// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "lib/core/config.hpp"
#include "lib/core/journal_types.hpp"
#include "lib/core/json.hpp"
#include "lib/core/maintenance_types.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// What `domkeeper` tells people (render_*, whole lines) and programs (*_json). All are pure and
/// let nothing through to a terminal that it could obey.

/// All that `domkeeper status` shows.
struct StatusFacts {
    Inventory inventory;
    TimePoint now;
    Arming arming;
    bool worker_alive = false;
    std::vector<HostEvent> pending;    ///< reports that wait for a worker, oldest first
    std::vector<Incident> unfinished;  ///< oldest first
    std::vector<Incident> latest;      ///< closed or not, newest first
    std::vector<JournalEntry> loose;   ///< of no incident, newest first
    std::vector<Maintenance> marks;    ///< hosts in maintenance
    std::vector<MoveProgress> moves;   ///< under way
    std::vector<DomainHold> holds;     ///< domains left alone, those that ended too
    ClusterRecord record;
};

std::string render_status(const StatusFacts& facts);
Json status_json(const StatusFacts& facts);

/// Newest first, as given.
std::string render_incidents(const std::vector<Incident>& incidents, TimePoint now);
Json incidents_json(const std::vector<Incident>& incidents);

/// One entry as it comes, with the seconds since the incident was opened; no newline.
std::string render_line(const Incident& incident, const JournalEntry& entry);

/// The timeline, in seconds since the incident was opened.
std::string render_incident(const Incident& incident, const std::vector<JournalEntry>& entries,
                            TimePoint now);
Json incident_json(const Incident& incident, const std::vector<JournalEntry>& entries);

/// What is wrong with a cluster file, or what stands in it when nothing is.
std::string render_config(const std::string& path, const LoadedConfig& config);
Json config_json(const std::string& path, const LoadedConfig& config);

/// "armed since 2026-11-22T04:13:44.120Z by alice: reason".
std::string render_arming(const Arming& arming, TimePoint now);
Json arming_json(const Arming& arming, TimePoint now);

}  // namespace domkeeper
