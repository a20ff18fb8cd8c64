// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/worker.hpp"

#include <cstdio>
#include <cstdlib>

#include "lib/app/executor.hpp"
#include "lib/core/error.hpp"
#include "lib/core/maintenance.hpp"
#include "lib/core/recovery.hpp"
#include "lib/core/text.hpp"
#include "lib/io/command_notifier.hpp"
#include "lib/io/daemon.hpp"
#include "lib/io/file_lock.hpp"
#include "lib/io/glpk_packing.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/libvirt_mover.hpp"
#include "lib/io/nagios_commands.hpp"
#include "lib/io/network_prober.hpp"
#include "lib/io/network_storage.hpp"
#include "lib/io/power_switches.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"

namespace domkeeper {
namespace {

constexpr Duration announce_time{400};
/// A disk that is full for a moment, or a database that is busy, must not end a recovery.
constexpr int tries = 6;
constexpr Duration first_pause{1'000};

void log_line(Scheduler& scheduler, const std::string& text) {
    std::fprintf(stderr, "%s %s\n", render_time(scheduler.now().wall).c_str(), text.c_str());
}

void work_once(const Inventory& inventory, Scheduler& scheduler) {
    SqliteJournal journal(inventory.state_dir);
    SqliteRecord records(inventory.state_dir);
    LibvirtHypervisors hypervisors;
    RealPowerSwitches switches;
    NetworkProber prober;
    CommandNotifier notifier("domkeeper", inventory.policy.notify);
    FileLock lock(worker_lock_path(inventory.state_dir));
    LibvirtMover mover;
    NagiosCommands downtime(inventory.policy.monitor_commands);
    NetworkStorage storages;
    SeatFile seat(inventory.policy.seat_file);
    switch (
        run_worker(inventory, {scheduler, journal, records, hypervisors, switches, prober, notifier,
                               lock, mover, downtime, glpk_packing(), &storages, &seat})) {
        case WorkerEnd::Finished: return log_line(scheduler, "finished");
        case WorkerEnd::Busy: return log_line(scheduler, "left to the worker that runs already");
    }
}

[[noreturn]] void work(const Inventory& inventory) {
    const auto scheduler = RealScheduler::create();
    Duration pause = first_pause;
    int code = EXIT_FAILURE;
    for (int i = 0; i < tries; ++i) {
        try {
            work_once(inventory, *scheduler);
            code = EXIT_SUCCESS;
            break;
        } catch (const Error& error) {
            log_line(*scheduler, std::string("stopped: ") + error.what());
            CommandNotifier("domkeeper", inventory.policy.notify)
                .notify(std::string("the recovery can't go on: ") + error.what());
        }
        scheduler->sleep_until(scheduler->now().mono + pause);
        pause *= 2;
    }
    // A task may still hang in a call that was given up; it must not see destructors run.
    std::fflush(nullptr);
    std::_Exit(code);
}

/// Of a host that is up only one that was fenced is of interest.
bool comes_back(const HostEvent& event, Journal& journal) {
    if (event.state != HostState::Up || event.type != StateType::Hard) return false;
    const auto marks = journal.maintenance();
    const Maintenance* mark = find_mark(marks, event.host);
    return mark != nullptr && mark->fenced;
}

bool needs_worker(const HostEvent& event) {
    return (event.state == HostState::Down || event.state == HostState::StorageLost) &&
           event.type == StateType::Hard;
}

}  // namespace

std::string start_worker(const Inventory& inventory) {
    DaemonOptions options;
    options.log_file = inventory.state_dir + "/worker.log";
    const DaemonStart start = start_daemon(
        [&inventory](const Announce& announce) -> int {
            announce("a worker takes it on");
            work(inventory);
        },
        options, Deadline{real_now().mono + announce_time});
    if (start.ended) throw SystemError("the worker ended at once; see " + options.log_file);
    return start.line.empty() ? "a worker is starting" : start.line;
}

Handed hand_over(const Inventory& inventory, const HostEvent& event, const std::string& about,
                 const Objection& objection) {
    const std::string what = about + std::string(host_state_name(event.state)) + " " +
                             std::string(state_type_name(event.type));
    {
        // Closed again before the fork: SQLite's handles must not be shared.
        SqliteJournal journal(inventory.state_dir);
        const Now now = real_now();
        if (const auto ignored = objection(journal, now)) {
            if (!ignored->entries.empty()) journal.append(ignored->entries);
            if (!ignored->unknown.empty())
                throw UsageError("no " + ignored->unknown + " is in the cluster file");
            return {false, "ignored: " + what};
        }
        if (const std::string why = SeatFile(inventory.policy.seat_file).objection();
            !why.empty()) {
            journal.append({{0,
                             now.wall,
                             EntryKind::Refusal,
                             StepKind::None,
                             event.host,
                             event.domain,
                             {},
                             false,
                             what + " from " + event.source + " not acted on: " + why}});
            return {false, "ignored: " + what + ": " + why};
        }
        journal.push_event(event, now.wall);
    }
    return {true, "accepted: " + what + "; " + start_worker(inventory)};
}

Handed hand_over(const Inventory& inventory, const HostEvent& event) {
    return hand_over(inventory, event, event.host + " ",
                     [&](Journal& journal, Now now) -> std::optional<Ignored> {
                         const bool known = inventory.find_host(event.host) != nullptr;
                         if (known && (needs_worker(event) || comes_back(event, journal)))
                             return std::nullopt;
                         Situation situation;
                         const ClusterRecord record;
                         RecoveryStep step = advance(situation, HostReported{event},
                                                     {inventory, record, journal.arming(), now});
                         return Ignored{std::move(step.entries),
                                        known ? "" : "host '" + printable(event.host) + "'"};
                     });
}

}  // namespace domkeeper
