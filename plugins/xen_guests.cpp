// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xen_guests.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

/// A balloon is never exact: some pages belong to the hypervisor's own tables.
constexpr Bytes balloon_slack = mebibytes(16);
/// So much of a cap counts as all of it.
constexpr double cap_used_up = 0.95;
constexpr std::size_t most_starts = 64;
constexpr std::string_view starts_prefix = "starts ";

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string shutdown_word(int code) {
    static constexpr std::array<std::string_view, 6> words{
        "powered off", "asked for a reboot",      "suspended",
        "crashed",     "stopped by its watchdog", "asked for a soft reset"};
    if (code < 0 || code >= static_cast<int>(words.size()))
        return "stopped with code " + std::to_string(code);
    return std::string(words[static_cast<std::size_t>(code)]);
}

class Judge {
  public:
    Judge(const XenGuests& guests, const GuestLimits& limits, const Recall& recall)
        : guests_(guests), limits_(limits), recall_(recall) {}

    std::vector<CheckResult> run() {
        for (const XenDomain& one : guests_.xen.domains)
            if (one.id != 0) judge(one);
        judge_lost();
        return std::move(parts_);
    }

  private:
    std::string name_of(const XenDomain& one) const {
        const auto tree = guests_.tree.find(one.id);
        if (tree != guests_.tree.end() && !tree->second.name.empty()) return tree->second.name;
        if (guests_.libvirt)
            for (const DomainView& known : guests_.libvirt->domains)
                if (known.uuid == one.uuid) return known.name;
        return {};
    }

    std::string who(const XenDomain& one) const {
        const std::string name = name_of(one);
        const std::string number = std::to_string(one.id);
        return name.empty() ? "domain " + number : printable(name, 64) + " (" + number + ")";
    }

    void tell(const std::string& key, Status status, const std::string& text) {
        const auto age = recall_.sighted(key);
        const bool passing = age && *age < limits_.grace;
        const std::string since =
            age && *age > Duration{0} ? ", for " + render_duration(*age) : std::string();
        parts_.push_back(part(passing ? Status::Ok : status, text + since));
    }

    static std::string key_of(const std::string& what, const XenDomain& one) {
        return what + " " + std::to_string(one.id) + " " + one.uuid;
    }

    void judge(const XenDomain& one) {
        const std::size_t before = parts_.size();
        if (one.dying) {
            tell(key_of("dying", one), Status::Critical,
                 who(one) + ": dies without end and holds " + render_bytes(one.memory));
            return;
        }
        if (one.shut_down) {
            tell(key_of("stopped", one), Status::Critical,
                 who(one) + ": " + shutdown_word(one.shutdown_code) +
                     ", and nobody cleared it away");
            return;
        }
        judge_known(one);
        judge_paused(one);
        judge_memory(one);
        judge_vcpus(one);
        judge_cap(one);
        if (parts_.size() == before) parts_.push_back(part(Status::Ok, describe(one)));
    }

    std::string describe(const XenDomain& one) const {
        std::string text = who(one) + ": " + (one.hvm ? "HVM or PVH, " : "PV, ") +
                           render_bytes(one.memory) + ", " +
                           counted(static_cast<std::size_t>(one.vcpus_online), "processor");
        if (one.weight) text += ", weight " + std::to_string(*one.weight);
        if (one.cap && *one.cap > 0) text += ", cap " + std::to_string(*one.cap) + " %";
        return text;
    }

    const DomainView* in_libvirt(const XenDomain& one) const {
        for (const DomainView& known : guests_.libvirt->domains)
            if (known.uuid == one.uuid && known.id == one.id) return &known;
        return nullptr;
    }

    void judge_known(const XenDomain& one) {
        const std::string name = name_of(one);
        if (ends_with(name, "--incoming") || ends_with(name, "--migratedaway")) {
            tell(key_of("migration", one), Status::Warning,
                 who(one) + ": left behind by a migration");
            return;
        }
        if (guests_.libvirt && in_libvirt(one) == nullptr)
            tell(key_of("stranger", one), Status::Warning,
                 who(one) + ": runs, and libvirt does not know it");
    }

    void judge_paused(const XenDomain& one) {
        if (!one.paused) return;
        const DomainView* const known = guests_.libvirt ? in_libvirt(one) : nullptr;
        // A pause that libvirt knows of is told with its reason.
        if (known != nullptr && known->state == DomainState::Paused) return;
        tell(key_of("paused", one), Status::Critical,
             who(one) + ": paused" + (known != nullptr ? ", and libvirt takes it for " : "") +
                 (known != nullptr ? std::string(domain_state_name(known->state)) : ""));
    }

    void judge_memory(const XenDomain& one) {
        const auto tree = guests_.tree.find(one.id);
        if (tree == guests_.tree.end() || !tree->second.memory_target) return;
        const Bytes target = *tree->second.memory_target;
        const Bytes off = one.memory < target ? target - one.memory : one.memory - target;
        if (off <= std::max(balloon_slack, Bytes{target.count / 20})) return;
        tell(key_of("balloon " + std::to_string(target.count), one), Status::Warning,
             who(one) + ": has " + render_bytes(one.memory) + " of memory and should have " +
                 render_bytes(target));
    }

    void judge_vcpus(const XenDomain& one) {
        const auto tree = guests_.tree.find(one.id);
        if (tree == guests_.tree.end() || one.vcpus_online >= tree->second.vcpus_wanted) return;
        tell(key_of("processors", one), Status::Warning,
             who(one) + ": uses " + std::to_string(one.vcpus_online) + " of " +
                 counted(static_cast<std::size_t>(tree->second.vcpus_wanted), "processor"));
    }

    void judge_cap(const XenDomain& one) {
        if (!one.cap || *one.cap <= 0 || recall_.before == nullptr) return;
        const std::string key = key_of("cpu time", one);
        const auto before = recall_.before->find(key);
        const auto then = recall_.before->find_time(key + " at");
        recall_.after->put(key, std::to_string(one.cpu_time_ns));
        recall_.after->put_time(key + " at", recall_.now);
        const auto used_before = before ? parse_integer(*before) : std::nullopt;
        if (!used_before || !then || recall_.now <= *then || one.cpu_time_ns < *used_before) return;
        const double seconds =
            static_cast<double>(
                std::chrono::duration_cast<std::chrono::milliseconds>(recall_.now - *then)
                    .count()) /
            1000;
        if (seconds < 1) return;
        const double percent =
            100 * static_cast<double>(one.cpu_time_ns - *used_before) / 1e9 / seconds;
        if (percent < cap_used_up * *one.cap) return;
        parts_.push_back(
            part(Status::Warning, who(one) + ": used " + render_number(percent, 0) +
                                      " % of a processor since the last run, its cap is " +
                                      std::to_string(*one.cap) + " %"));
    }

    /// Destroyed behind libvirt's back.
    void judge_lost() {
        if (!guests_.libvirt) return;
        std::set<int> there = guests_.fresh;
        for (const XenDomain& one : guests_.xen.domains) there.insert(one.id);
        for (const DomainView& known : guests_.libvirt->domains)
            if (known.id && is_active(known.state) && there.count(*known.id) == 0)
                tell("lost " + std::to_string(*known.id) + " " + known.uuid, Status::Critical,
                     printable(known.name, 64) + " (" + std::to_string(*known.id) +
                         "): libvirt takes it for " + std::string(domain_state_name(known.state)) +
                         ", and the hypervisor has no such domain");
    }

    const XenGuests& guests_;
    const GuestLimits& limits_;
    const Recall& recall_;
    std::vector<CheckResult> parts_;
};

/// "12@1700000000000": the number that a domain had, and when it was first seen.
struct Start {
    std::string id;
    TimePoint seen;
};

std::vector<Start> parse_starts(const std::string& text) {
    std::vector<Start> starts;
    for (const std::string& word : split(text, ' ')) {
        const std::size_t sign = word.find('@');
        if (sign == std::string::npos) continue;
        Memory scratch;
        scratch.put("t", word.substr(sign + 1));
        if (const auto time = scratch.find_time("t"))
            starts.push_back({word.substr(0, sign), *time});
    }
    return starts;
}

std::string render_starts(const std::vector<Start>& starts) {
    std::vector<std::string> words;
    for (const Start& start : starts) {
        Memory scratch;
        scratch.put_time("t", start.seen);
        words.push_back(start.id + "@" + scratch.find("t").value_or("0"));
    }
    return join(words, " ");
}

}  // namespace

std::vector<Option> guest_options() {
    return {{.name = "grace",
             .type = ValueType::Seconds,
             .help = "With --memory: tell what a start or a stop passes through only when it "
                     "lasted this long.",
             .default_value = "60"},
            {.name = "restarts",
             .type = ValueType::Integer,
             .help = "With --memory: critical when a domain was started again this often within "
                     "--restart-time.",
             .default_value = "3"},
            {.name = "restart-time",
             .type = ValueType::Seconds,
             .help = "The time within which restarts are counted.",
             .default_value = "3600"}};
}

GuestLimits read_guest_limits(const Arguments& arguments) {
    GuestLimits limits;
    limits.grace = arguments.duration("grace").value_or(limits.grace);
    limits.restart_time = arguments.duration("restart-time").value_or(limits.restart_time);
    const std::int64_t restarts = arguments.integer("restarts").value_or(limits.restarts);
    if (restarts < 1 || restarts > static_cast<std::int64_t>(most_starts) / 2)
        throw UsageError("--restarts must be 1 to " + std::to_string(most_starts / 2));
    limits.restarts = static_cast<int>(restarts);
    return limits;
}

std::vector<CheckResult> judge_restarts(const HostView& view, const GuestLimits& limits,
                                        const Recall& recall) {
    std::vector<CheckResult> parts;
    if (recall.before == nullptr) return parts;
    // A domain without a definition is not listed while it is down.
    for (const auto& [key, value] : recall.before->values()) {
        const auto starts =
            starts_with(key, starts_prefix) ? parse_starts(value) : std::vector<Start>();
        if (!starts.empty() && starts.back().seen + limits.restart_time >= recall.now)
            recall.after->put(key, value);
    }
    for (const DomainView& domain : view.domains) {
        const std::string key = std::string(starts_prefix) + domain.uuid;
        std::vector<Start> starts = parse_starts(recall.before->find(key).value_or(""));
        const std::string id = domain.id ? std::to_string(*domain.id) : std::string();
        if (domain.id && (starts.empty() || starts.back().id != id))
            starts.push_back({id, recall.now});
        // The oldest one is what it began with; those after it are starts again.
        while (starts.size() > 1 &&
               (starts.size() > most_starts || starts[1].seen + limits.restart_time < recall.now))
            starts.erase(starts.begin());
        if (starts.empty()) continue;
        recall.after->put(key, render_starts(starts));
        const std::size_t again = starts.size() - 1;
        if (again < static_cast<std::size_t>(limits.restarts)) continue;
        const auto span = std::chrono::duration_cast<Duration>(recall.now - starts[1].seen);
        parts.push_back(part(Status::Critical, printable(domain.name, 64) + ": started again " +
                                                   counted(again, "time") + " in " +
                                                   render_duration(span) + ", ids " +
                                                   starts.front().id + " to " + starts.back().id));
    }
    return parts;
}

std::vector<CheckResult> judge_xen_guests(const XenGuests& guests, const GuestLimits& limits,
                                          const Recall& recall) {
    return Judge(guests, limits, recall).run();
}

}  // namespace domkeeper
