// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/readmission.hpp"

#include <algorithm>

#include "lib/core/agent_options.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

bool same_domain(const DomainView& one, const DomainView& other) {
    return one.name == other.name || (!one.uuid.empty() && one.uuid == other.uuid);
}

class Judge {
  public:
    Judge(const ReturnQuestion& question, const std::map<std::string, HostReading>& readings)
        : question_(question), readings_(readings) {}

    ReturnFindings judge() {
        const auto own = readings_.find(question_.host);
        if (own == readings_.end() || !own->second.view) {
            found_.unseen = question_.host + " does not answer: " +
                            (own == readings_.end() ? "it was not read" : own->second.why);
            return std::move(found_);
        }
        for (const DomainView& domain : own->second.view->domains) {
            if (is_active(domain.state))
                judge_active(domain);
            else
                judge_definition(domain);
        }
        return std::move(found_);
    }

  private:
    /// Hosts beside this one with a domain for which that holds.
    template <typename Holds>
    std::vector<std::string> others_with(const Holds& holds) const {
        std::vector<std::string> hosts;
        for (const auto& [host, reading] : readings_)
            if (host != question_.host && reading.view &&
                std::any_of(reading.view->domains.begin(), reading.view->domains.end(), holds))
                hosts.push_back(host);
        return hosts;
    }

    /// Where the record has it, if that is another host.
    const DomainRecord* recorded_elsewhere(const DomainView& domain) const {
        const DomainRecord* record = question_.record.find_domain(domain.name);
        return record == nullptr || record->host == question_.host ? nullptr : record;
    }

    bool was_read(const std::string& host) const {
        const auto reading = readings_.find(host);
        return reading != readings_.end() && reading->second.view;
    }

    static Refusal refusal(const DomainView& domain, const std::string& text) {
        return {RefusalKind::RunsTwice, printable(domain.name, 64), std::nullopt, std::nullopt,
                text};
    }

    void judge_active(const DomainView& domain) {
        const auto others = others_with([&](const DomainView& other) {
            return is_active(other.state) && same_domain(domain, other);
        });
        if (!others.empty()) {
            found_.twice.push_back(refusal(domain, "it is active on " + question_.host + " and " +
                                                       join(others, " and ") + " at once"));
            return;
        }
        const DomainRecord* record = recorded_elsewhere(domain);
        if (record == nullptr) return;
        if (!was_read(record->host)) {
            if (found_.unseen.empty())
                found_.unseen = printable(domain.name, 64) + " is active on " + question_.host +
                                ", and " + record->host +
                                ", where it was last recorded, does not answer";
            return;
        }
        found_.astray.push_back(refusal(domain, "it is active on " + question_.host +
                                                    ", although it was last recorded on " +
                                                    record->host + ", where it is off"));
    }

    void judge_definition(const DomainView& domain) {
        // Whether it was ever recovered from here: many a site defines its domains everywhere.
        if (!domain.persistent || question_.away.count(domain.name) == 0 ||
            recorded_elsewhere(domain) == nullptr)
            return;
        const auto same = [&](const DomainView& other) {
            return !domain.uuid.empty() && other.uuid == domain.uuid;
        };
        const auto active = others_with(
            [&](const DomainView& other) { return is_active(other.state) && same(other); });
        const auto defined =
            others_with([&](const DomainView& other) { return other.persistent && same(other); });
        if (!active.empty()) {
            found_.stale.push_back({domain.name, domain.uuid, active.front(), true});
        } else if (!defined.empty()) {
            found_.stale.push_back({domain.name, domain.uuid, defined.front(), false});
        } else {
            found_.notes.push_back(printable(domain.name, 64) +
                                   ": its definition stays: no other host shows that domain");
        }
    }

    const ReturnQuestion& question_;
    const std::map<std::string, HostReading>& readings_;
    ReturnFindings found_;
};

}  // namespace

ReturnFindings judge_return(const ReturnQuestion& question,
                            const std::map<std::string, HostReading>& readings) {
    return Judge(question, readings).judge();
}

std::vector<std::string> storage_fences(const Inventory& inventory, const std::string& host) {
    std::vector<std::string> names;
    const Host* entry = inventory.find_host(host);
    if (entry == nullptr) return names;
    for (const FenceLevel& level : entry->fence)
        for (const std::string& name : level) {
            const FenceDevice* device = inventory.find_device(name);
            if (device != nullptr && !configured_coverage(*device).is_everything() &&
                std::find(names.begin(), names.end(), name) == names.end())
                names.push_back(name);
        }
    return names;
}

}  // namespace domkeeper
