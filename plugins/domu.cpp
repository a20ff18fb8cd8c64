// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/domu.hpp"

#include <algorithm>
#include <array>

#include "lib/core/text.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

/// Reasons of a pause that the host made itself, on its way to something else.
bool is_passing(const std::string& reason) {
    static constexpr std::array<std::string_view, 8> passing{
        "migration",     "being saved", "core dump",   "from snapshot",
        "shutting down", "snapshot",    "starting up", "post-copy migration"};
    return std::find(passing.begin(), passing.end(), reason) != passing.end();
}

Status wanted_running(const DomainView& domain) {
    switch (domain.state) {
        case DomainState::Running:
        case DomainState::Blocked: return Status::Ok;
        case DomainState::Paused:
            return is_passing(domain.reason) ? Status::Warning : Status::Critical;
        case DomainState::ShuttingDown: return Status::Warning;
        case DomainState::ShutOff:
        case DomainState::Crashed:
        case DomainState::Suspended: return Status::Critical;
        case DomainState::Unknown: return Status::Unknown;
    }
    return Status::Unknown;
}

Status wanted_off(const DomainView& domain) {
    switch (domain.state) {
        case DomainState::ShutOff:
        case DomainState::Crashed: return Status::Ok;
        case DomainState::Running:
        case DomainState::Blocked:
        case DomainState::Paused:
        case DomainState::ShuttingDown:
        case DomainState::Suspended: return Status::Warning;
        case DomainState::Unknown: return Status::Unknown;
    }
    return Status::Unknown;
}

Status wanted_sound(const DomainView& domain) {
    switch (domain.state) {
        case DomainState::ShuttingDown:
        case DomainState::ShutOff: return Status::Ok;
        case DomainState::Suspended: return Status::Warning;
        case DomainState::Running:
        case DomainState::Blocked:
        case DomainState::Paused:
        case DomainState::Crashed:
        case DomainState::Unknown: return wanted_running(domain);
    }
    return Status::Unknown;
}

Status state_status(const DomainView& domain, Expected expect) {
    switch (expect) {
        case Expected::Running: return wanted_running(domain);
        case Expected::Off: return wanted_off(domain);
        case Expected::Any: return wanted_sound(domain);
    }
    return Status::Unknown;
}

const DomainView* find(const HostView& view, const std::string& name) {
    const auto by_name = std::find_if(view.domains.begin(), view.domains.end(),
                                      [&](const DomainView& d) { return d.name == name; });
    if (by_name != view.domains.end()) return &*by_name;
    const auto by_uuid = std::find_if(view.domains.begin(), view.domains.end(),
                                      [&](const DomainView& d) { return d.uuid == lower(name); });
    return by_uuid == view.domains.end() ? nullptr : &*by_uuid;
}

CheckResult judge_expectation(const HostView& view, const std::string& host,
                              const Expectation& expectation) {
    const std::string name = printable(expectation.name, 64);
    const std::string why = expectation.why.empty() ? "" : " (" + expectation.why + ")";
    const DomainView* const domain = find(view, expectation.name);
    if (domain == nullptr) {
        if (expectation.expect == Expected::Running && expectation.must_be_here)
            return part(Status::Critical, name + ": not on " + printable(host, 64) + why);
        return part(Status::Ok, name + ": not on this host");
    }
    // Defined here and off: the usual thing for a domain that runs on another host.
    if (!expectation.must_be_here && domain->state == DomainState::ShutOff)
        return part(Status::Ok, name + ": shut off here");
    CheckResult result = judge_domain(*domain, expectation.expect);
    if (result.status != Status::Ok) result.summary += why;
    return result;
}

CheckResult judge_unasked(const DomainView& domain) {
    CheckResult result = judge_domain(domain, Expected::Any);
    if (domain.state == DomainState::ShutOff && domain.autostart.value_or(false)) {
        result.status = worst(result.status, Status::Warning);
        result.summary += ", but starts with the host";
    }
    return result;
}

struct Counts {
    int running = 0;
    int paused = 0;
    int off = 0;
    int other = 0;
};

Counts count_states(const std::vector<DomainView>& domains) {
    Counts counts;
    for (const DomainView& domain : domains) {
        switch (domain.state) {
            case DomainState::Running:
            case DomainState::Blocked: ++counts.running; break;
            case DomainState::Paused: ++counts.paused; break;
            case DomainState::ShutOff: ++counts.off; break;
            case DomainState::ShuttingDown:
            case DomainState::Crashed:
            case DomainState::Suspended:
            case DomainState::Unknown: ++counts.other; break;
        }
    }
    return counts;
}

Perfdata counted_value(const std::string& label, int value) {
    Perfdata perfdata;
    perfdata.label = label;
    perfdata.value = value;
    perfdata.min = 0;
    return perfdata;
}

}  // namespace

std::vector<Expectation> expected_on(const Inventory& inventory, const std::string& host,
                                     const ClusterRecord* record) {
    std::vector<Expectation> expectations;
    for (const Domain& domain : inventory.domains) {
        Expectation expectation;
        expectation.name = domain.name;
        expectation.expect = domain.expect;
        const bool allowed = inventory.may_run(domain, host);
        const bool only_here = allowed && (domain.hosts.size() == 1 || inventory.hosts.size() == 1);
        const DomainRecord* const seen = record ? record->find_domain(domain.name) : nullptr;
        const bool seen_here = seen != nullptr && seen->host == host && is_active(seen->state);
        expectation.must_be_here = only_here || seen_here;
        if (seen_here)
            expectation.why = "last seen here";
        else if (only_here)
            expectation.why = "may run nowhere else";
        expectations.push_back(expectation);
    }
    return expectations;
}

CheckResult judge_domain(const DomainView& domain, Expected expect) {
    CheckResult result;
    std::vector<std::string> details;
    const bool state_known = domain.state != DomainState::Unknown;
    result.summary = printable(domain.name, 64) + ": ";
    if (domain.trouble && !state_known) {
        result.status = Status::Unknown;
        result.summary += printable(*domain.trouble);
        return result;
    }
    result.status = state_status(domain, expect);
    result.summary += domain_state_name(domain.state);
    if (!domain.reason.empty()) details.push_back(printable(domain.reason, 64));
    if (domain.trouble) {
        result.status = worst(result.status, Status::Unknown);
        details.push_back(printable(*domain.trouble));
    }
    for (const std::string& error : domain.disk_errors) {
        result.status = worst(result.status, Status::Critical);
        details.push_back(printable(error, 64));
    }
    if (domain.control_trouble) {
        result.status = worst(result.status, Status::Warning);
        details.push_back("its monitor is " + printable(*domain.control_trouble, 64));
    }
    if (!details.empty()) result.summary += " (" + join(details, ", ") + ")";
    if (expect == Expected::Off && result.status == Status::Warning)
        result.summary += ", should be off";
    return result;
}

CheckResult judge_domu(const HostView& view, const std::string& host,
                       const Expectations& expectations) {
    CheckResult result;
    if (expectations.domains) {
        for (const Expectation& expectation : *expectations.domains)
            result.parts.push_back(judge_expectation(view, host, expectation));
    } else {
        for (const DomainView& domain : view.domains) result.parts.push_back(judge_unasked(domain));
    }
    if (!expectations.note.empty())
        result.parts.push_back(part(Status::Ok, printable(expectations.note)));
    const Counts counts = count_states(view.domains);
    result.summary = what_is_wrong(result.parts);
    if (result.summary.empty()) {
        const auto running = static_cast<std::size_t>(counts.running);
        result.summary = counted(running, "domain runs", "domains run") + " on " +
                         printable(host, 64) + ", " + std::to_string(counts.off) + " off";
        if (expectations.domains && expectations.domains->empty())
            result.summary += ", none is expected";
    }
    result.perfdata = {counted_value("running", counts.running),
                       counted_value("paused", counts.paused), counted_value("off", counts.off),
                       counted_value("other", counts.other)};
    Perfdata time = counted_value("time", 0);
    time.value = seconds_of(view.took);
    time.unit = "s";
    result.perfdata.push_back(time);
    return result;
}

}  // namespace domkeeper
