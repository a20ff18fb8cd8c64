// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xenstore.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr int last_id = xen_first_reserved_id - 1;

Option limit_option(std::string name, char letter, ValueType type, std::string help,
                    std::string default_value = {}) {
    return {.name = std::move(name),
            .letter = letter,
            .type = type,
            .help = std::move(help),
            .default_value = std::move(default_value)};
}

/// A number of seconds as people read it: 0.00004 s must not be "0 s".
std::string quick_text(double seconds) {
    return seconds < 0.01 ? render_number(seconds * 1000, 3) + " ms"
                          : render_number(seconds, 3) + " s";
}

class Judge {
  public:
    Judge(const XenstoreView& view, const XenstoreFacts& facts, const XenstoreLimits& limits,
          const Recall& recall, CheckResult& result)
        : view_(view), facts_(facts), limits_(limits), recall_(recall), result_(result) {
        for (const XsDomain& one : view.domains) known_[one.id] = &one;
        if (facts.live)
            for (const XenDomain& one : *facts.live) live_[one.id] = &one;
    }

    /// What there is, for a summary of a sound host.
    std::vector<std::string> run() {
        judge_presence();
        judge_backends();
        judge_domains();
        judge_quotas();
        judge_ids();
        for (const std::string& what : view_.cut)
            result_.parts.push_back(
                part(Status::Warning, printable(what, 200) + ": too long to be read as a whole"));
        if (!facts_.live)
            result_.parts.push_back(part(Status::Ok, "xenstored alone says which domains live (" +
                                                         printable(facts_.hypervisor_trouble, 160) +
                                                         ")"));
        return std::move(brief_);
    }

  private:
    std::string who(int id) const {
        const auto found = known_.find(id);
        const std::string number = std::to_string(id);
        if (found == known_.end() || found->second->name.empty()) return "domain " + number;
        return printable(found->second->name, 64) + " (" + number + ")";
    }

    bool lives(int id) const {
        if (id == 0) return true;
        if (facts_.live) return live_.count(id) != 0;
        const auto found = known_.find(id);
        return found != known_.end() && found->second->introduced;
    }

    /// It lives and is not on its way out.
    bool works(int id) const {
        const auto found = live_.find(id);
        if (!facts_.live) return lives(id);
        return found != live_.end() && !found->second->dying && !found->second->shut_down;
    }

    static std::string key_of(const std::string& what, int id) {
        return what + " " + std::to_string(id);
    }

    void tell(const std::string& key, Duration patience, Status status, const std::string& text) {
        const auto age = recall_.sighted(key);
        if (!age) {
            result_.parts.push_back(part(status, text));
            return;
        }
        const std::string since = *age > Duration{0} ? ", for " + render_duration(*age) : "";
        if (*age < patience)
            result_.parts.push_back(
                part(Status::Ok, text + since + ", told after " + render_duration(patience)));
        else
            result_.parts.push_back(part(status, text + since));
    }

    void judge_presence() {
        std::map<int, std::size_t> orphans;
        for (const XsBackend& one : view_.backends)
            if (!lives(one.domain)) ++orphans[one.domain];
        std::set<int> gone;
        for (const XsDomain& one : view_.domains)
            if (!lives(one.id)) gone.insert(one.id);
        for (const auto& [id, count] : orphans) gone.insert(id);
        for (const int id : gone) {
            std::vector<std::string> where;
            const auto found = known_.find(id);
            if (found != known_.end() && found->second->has_home)
                where.push_back("/local/domain/" + std::to_string(id));
            if (found != known_.end() && found->second->has_libxl)
                where.push_back("/libxl/" + std::to_string(id));
            if (orphans.count(id) != 0) where.push_back(counted(orphans[id], "backend"));
            tell(key_of("gone", id), limits_.grace, Status::Warning,
                 who(id) + ": it is gone and its entries are still there: " + join(where, ", "));
        }
        for (const auto& [id, live] : live_) {
            if (id == 0 || live->dying || facts_.passing.count(id) != 0) continue;
            const auto found = known_.find(id);
            if (found == known_.end() || !found->second->has_home)
                tell(key_of("bare", id), limits_.grace, Status::Critical,
                     who(id) + ": it lives and has no entries");
            else if (!found->second->introduced && !live->shut_down)
                tell(key_of("unserved", id), limits_.grace, Status::Critical,
                     who(id) + ": xenstored does not serve it");
        }
    }

    void judge_backends() {
        std::size_t count = 0;
        std::size_t connected = 0;
        for (const XsBackend& one : view_.backends) {
            if (!lives(one.domain)) continue;
            ++count;
            if (serves(one)) ++connected;
            if (serves(one) || !works(one.domain)) continue;
            // Closed under a living guest is a loss; the earlier states are a beginning that
            // does not end.
            const bool lost =
                !one.has_driver || !one.state || *one.state > xenbus_connected || *one.state < 1;
            std::string text = who(one.domain) + ": " + one.type + " ";
            text += one.label.empty() ? printable(one.device, 32) : printable(one.label, 32);
            if (one.home != 0) text += " from " + who(one.home);
            text += " is " + xenbus_state_name(one.state);
            text += one.has_driver ? ", not Connected" : ", and no driver of dom0 serves it";
            if (one.frontend_state)
                text += "; the guest's end is " + xenbus_state_name(one.frontend_state);
            tell(key_of("backend " + std::to_string(one.home) + " " + one.type + " " + one.device,
                        one.domain),
                 limits_.grace, lost ? Status::Critical : Status::Warning, text);
        }
        brief_.push_back(std::to_string(connected) + " of " + counted(count, "backend") +
                         " connected");
        result_.perfdata.push_back(value_of("backends", static_cast<double>(count)));
        result_.perfdata.push_back(
            value_of("backends_not_connected", static_cast<double>(count - connected)));
    }

    void judge_domains() {
        std::size_t count = 0;
        for (const XsDomain& one : view_.domains) {
            if (one.id == 0 || !lives(one.id)) continue;
            ++count;
            if (!one.shutdown.empty() && works(one.id))
                tell(key_of("shutdown " + digest(one.shutdown), one.id), limits_.shutdown_time,
                     Status::Warning,
                     who(one.id) + ": asked for " + printable(one.shutdown, 32) +
                         " and took no note of it");
            if (ends_with(one.name, "--incoming") || ends_with(one.name, "--migratedaway"))
                tell(key_of("migration", one.id), limits_.incoming_time, Status::Warning,
                     who(one.id) + ": a migration that did not end");
            if (!one.device_model_runs && works(one.id))
                tell(key_of("device model", one.id), Duration{0}, Status::Critical,
                     who(one.id) + ": its device model (process " +
                         std::to_string(one.device_model.value_or(0)) + ") is gone");
            judge_heartbeat(one);
        }
        brief_.push_back(counted(count, "domain"));
        result_.perfdata.push_back(value_of("domains", static_cast<double>(count)));
    }

    static bool ends_with(std::string_view text, std::string_view end) {
        return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
    }

    void judge_heartbeat(const XsDomain& one) {
        if (!one.heartbeat || !works(one.id)) return;
        const auto still = recall_.unchanged(key_of("heartbeat", one.id), *one.heartbeat);
        if (still && *still >= limits_.heartbeat_time)
            result_.parts.push_back(part(
                Status::Critical, who(one.id) + ": no heartbeat for " + render_duration(*still)));
    }

    void judge_quotas() {
        double most = -1;
        std::string fullest;
        for (const XsDomain& one : view_.domains)
            for (const XsUse& use : one.uses) {
                const double percent =
                    100 * static_cast<double>(use.used) / static_cast<double>(use.limit);
                const std::string text = who(one.id) + " has " + std::to_string(use.used) + " of " +
                                         std::to_string(use.limit) + " " + printable(use.what, 32);
                const Status status = limits_.quota.judge(percent);
                if (status != Status::Ok) result_.parts.push_back(part(status, text));
                if (percent > most) {
                    most = percent;
                    fullest = text;
                }
            }
        if (most < 0) return;
        result_.parts.push_back(part(Status::Ok, "fullest quota: " + fullest));
        Perfdata value = value_of("quota", most, "%");
        value.threshold = limits_.quota;
        value.max = 100;
        result_.perfdata.push_back(value);
    }

    void judge_ids() {
        int highest = 0;
        for (const auto& [id, live] : live_) highest = std::max(highest, id);
        for (const XsDomain& one : view_.domains)
            if (lives(one.id)) highest = std::max(highest, one.id);
        const Status status = limits_.id.judge(highest);
        if (status == Status::Ok)
            brief_.push_back("highest id " + std::to_string(highest));
        else
            result_.parts.push_back(part(
                status, "domain ids have come to " + std::to_string(highest) + " of " +
                            std::to_string(last_id) +
                            "; after the last one old numbers come again, and entries left behind "
                            "by their old owners would be taken for theirs"));
        Perfdata value = value_of("id_highest", highest);
        value.threshold = limits_.id;
        value.max = last_id;
        result_.perfdata.push_back(value);
    }

    const XenstoreView& view_;
    const XenstoreFacts& facts_;
    const XenstoreLimits& limits_;
    const Recall& recall_;
    CheckResult& result_;
    std::map<int, const XsDomain*> known_;
    std::map<int, const XenDomain*> live_;
    std::vector<std::string> brief_;
};

void judge_latency(const Xenstore::Latency& latency, const Threshold& threshold,
                   CheckResult& result) {
    const std::array<std::pair<const char*, double>, 3> kinds{
        {{"read", latency.read}, {"write", latency.write}, {"transaction", latency.transaction}}};
    for (const auto& [name, seconds] : kinds) {
        Perfdata value = value_of(name, seconds, "s");
        value.threshold = threshold;
        result.perfdata.push_back(value);
        const Status status = threshold.judge(seconds);
        result.parts.push_back(
            part(status, status == Status::Ok ? name + (" in " + quick_text(seconds))
                                              : "a " + (name + (" took " + quick_text(seconds)))));
    }
}

}  // namespace

std::vector<Option> xenstore_options() {
    return {
        limit_option("warning", 'w', ValueType::Range,
                     "Warn when a read, a write or a transaction took seconds outside it.", "0.5"),
        limit_option("critical", 'c', ValueType::Range,
                     "Critical when one took seconds outside it.", "2"),
        limit_option("quota-warning", 0, ValueType::Range,
                     "Warn when a domain's share of a quota, in percent, is outside it.", "80"),
        limit_option("quota-critical", 0, ValueType::Range, "Critical when it is outside it.",
                     "95"),
        limit_option("id-warning", 0, ValueType::Range,
                     "Warn when the highest domain id is outside it; the last one is 32751.",
                     "32000"),
        limit_option("grace", 0, ValueType::Seconds,
                     "Tell what a start or a stop passes through only when it lasted this long.",
                     "60"),
        limit_option("shutdown-time", 0, ValueType::Seconds,
                     "Tell a shutdown that the guest took no note of after this time.", "300"),
        limit_option("incoming-time", 0, ValueType::Seconds,
                     "Tell the domains of a migration that does not end after this time.", "900"),
        limit_option("heartbeat", 0, ValueType::Text,
                     "A path below a guest's own, such as data/heartbeat: where a guest has it, "
                     "its text must keep changing."),
        limit_option("heartbeat-time", 0, ValueType::Seconds,
                     "Critical when it did not change for this time.", "120"),
        {.name = "driver-domains",
         .type = ValueType::Flag,
         .help = "Look for disks and interfaces that other domains than dom0 serve, too."},
    };
}

XenstoreLimits read_xenstore_limits(const Arguments& arguments) {
    XenstoreLimits limits;
    limits.time = {arguments.range("warning"), arguments.range("critical")};
    limits.quota = {arguments.range("quota-warning"), arguments.range("quota-critical")};
    limits.id = {arguments.range("id-warning"), std::nullopt};
    limits.grace = arguments.duration("grace").value_or(limits.grace);
    limits.shutdown_time = arguments.duration("shutdown-time").value_or(limits.shutdown_time);
    limits.incoming_time = arguments.duration("incoming-time").value_or(limits.incoming_time);
    limits.heartbeat_time = arguments.duration("heartbeat-time").value_or(limits.heartbeat_time);
    return limits;
}

CheckResult judge_xenstore(const XenstoreFacts& facts, const XenstoreLimits& limits,
                           const Recall& recall) {
    CheckResult result;
    if (!facts.silence.empty())
        result.parts.push_back(part(Status::Critical, printable(facts.silence)));
    if (facts.latency) judge_latency(*facts.latency, limits.time, result);
    std::vector<std::string> brief;
    if (facts.latency) brief.push_back("read in " + quick_text(facts.latency->read));
    if (facts.view) {
        for (std::string& text : Judge(*facts.view, facts, limits, recall, result).run())
            brief.push_back(std::move(text));
    }
    result.summary = what_is_wrong(result.parts);
    if (!result.summary.empty()) return result;
    const bool oxenstored = facts.view && facts.view->is_oxenstored;
    result.summary =
        std::string(oxenstored ? "oxenstored" : "xenstored") + " answers: " + join(brief, ", ");
    return result;
}

}  // namespace domkeeper
