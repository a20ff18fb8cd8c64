// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster_round.hpp"

#include <algorithm>
#include <optional>

#include "lib/core/error.hpp"
#include "lib/io/file_lock.hpp"
#include "lib/io/glpk_packing.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/seat_file.hpp"
#include "lib/io/sqlite_journal.hpp"
#include "lib/io/sqlite_record.hpp"
#include "plugins/cluster_reader.hpp"
#include "plugins/target.hpp"

namespace domkeeper {
namespace {

ControlFacts read_control(const Inventory& inventory) {
    const std::string& state_dir = inventory.state_dir;
    ControlFacts control;
    try {
        // The lock is looked at before and after: a worker may begin or end in between.
        const std::string lock = worker_lock_path(state_dir);
        const bool lived = is_lock_held(lock);
        SqliteJournal journal(state_dir);
        SeatFile seat(inventory.policy.seat_file);
        control.arming = arming_here(journal, seat);
        control.unfinished = journal.unfinished();
        control.marks = journal.maintenance();
        control.worker_lives = lived || is_lock_held(lock);
    } catch (const Error& error) {
        control.trouble = error.what();
    }
    return control;
}

}  // namespace

CheckResult run_cluster_round(const Inventory& inventory, const Arguments& arguments,
                              Deadline deadline) {
    std::optional<SqliteRecord> record;
    std::string trouble;
    try {
        record.emplace(inventory.state_dir);
    } catch (const Error& error) {
        trouble = error.what();
    }
    // Two looks, the definitions, and time for the disk: all of it must fit in.
    const Duration host_time = std::min(*arguments.duration("host-time"), arguments.timeout() / 4);
    const ClusterLimits limits{reading_deadline(deadline, arguments.timeout()), host_time};
    LibvirtHypervisors hypervisors;
    ClusterFacts facts =
        read_cluster(inventory, hypervisors, record ? &*record : nullptr, real_now().wall, limits);
    if (facts.record_trouble.empty()) facts.record_trouble = trouble;
    facts.control = read_control(inventory);
    // The search comes in only where quick packing fails; together it may take this long a round.
    const Deadline search_end = deadline.within(real_now().mono, Duration{300});
    return judge_cluster(inventory, facts, glpk_packing(Duration{100}, search_end));
}

}  // namespace domkeeper
