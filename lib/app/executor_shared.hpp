// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/inventory.hpp"
#include "lib/core/recovery.hpp"
#include "lib/port/hypervisor.hpp"
#include "lib/port/scheduler.hpp"

namespace domkeeper {

/// What the worker's engines share: the way from tasks back to it, and how acts are told.

/// What tasks bring back. They may outlive the worker, and keep it alive so long.
template <typename Mail>
class Mailbox {
  public:
    explicit Mailbox(Scheduler& scheduler) : scheduler_(scheduler) {}

    void post(Mail mail) {
        scheduler_.update([&] { mails_.push_back(std::move(mail)); });
    }
    /// Under the scheduler's lock.
    bool empty() const { return mails_.empty(); }
    std::deque<Mail> take() {
        std::deque<Mail> taken;
        scheduler_.update([&] { taken.swap(mails_); });
        return taken;
    }

  private:
    Scheduler& scheduler_;
    std::deque<Mail> mails_;
};

/// Throws UsageError when the cluster file does not have it any more.
const Host& listed_host(const Inventory& inventory, const std::string& name);

/// The devices of these levels of a host, each once; levels and devices that are not there are
/// left out.
std::vector<FenceDevice> fence_devices(const Inventory& inventory, const std::string& host,
                                       const std::vector<std::size_t>& levels);

struct StartOutcome {
    StartResult result = StartResult::Failed;
    std::string text;         ///< printable
    bool left_alone = false;  ///< of an end: it is not any more as it was seen
};

/// Why a domain that was to be ended is to be left alone now, after another look at it alone:
/// somebody paused or ended it meanwhile, or it stands still on an I/O error, and what it holds in
/// memory is to be kept. Throws as the hypervisor does.
std::optional<std::string> spared(Hypervisor& hypervisor, const DomainRecord& domain,
                                  Deadline deadline);

/// What became of something that starts or ends a domain: what it returns, or what it threw. When
/// it is active already, whoever did that, or when nobody answered in time, nobody knows.
StartOutcome outcome_of(const std::function<StartOutcome()>& act);

/// " in 0.065 s"
std::string took(Instant from, Instant to);

}  // namespace domkeeper
