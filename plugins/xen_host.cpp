// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xen_host.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "lib/core/text.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t most_alarms = 5;
constexpr std::string_view watchdog_daemon = "xenwatchdogd";

/// Words of the hypervisor's messages that tell of trouble (xen/common, xen/arch/x86 of Xen 4.17):
/// crashes of domains and of itself, memory that ran out or is bad, machine checks, IOMMU faults.
constexpr std::array<std::string_view, 17> alarming{
    "crashed",           "Machine Check",  "MCE",           "Out of memory",
    "over-allocation",   "Xen BUG",        "Xen WARN",      "panic",
    "Assertion",         "page fault at",  "IO_PAGE_FAULT", "DMAR:[DMA",
    "watchdog fired",    "Watchdog timer", "double fault",  "Failed to allocate",
    "Could not allocate"};

CheckResult against(const Threshold& threshold, double value, const std::string& text) {
    return part(threshold.judge(value), text);
}

Perfdata percent_value(const std::string& label, double percent, const Threshold& threshold) {
    Perfdata value = value_of(label, percent, "%");
    value.threshold = threshold;
    value.max = 100;
    return value;
}

double percent_of(Bytes part, Bytes whole) {
    return whole.count <= 0
               ? 0
               : 100 * static_cast<double>(part.count) / static_cast<double>(whole.count);
}

void judge_machine(const XenHostFacts& facts, const XenHostLimits& limits, CheckResult& result) {
    if (!facts.xen) {
        result.parts.push_back(part(Status::Unknown, printable(facts.xen_trouble)));
        return;
    }
    const XenMachine& machine = facts.xen->machine;
    const double percent = percent_of(machine.memory_free, machine.memory_total);
    std::string text = render_bytes(machine.memory_free) + " of " +
                       render_bytes(machine.memory_total) + " free, " + render_number(percent, 1) +
                       " %";
    if (machine.memory_claimed.count > 0)
        text += ", " + render_bytes(machine.memory_claimed) + " of it promised";
    for (const XenDomain& one : facts.xen->domains)
        if (one.id == 0) text += ", dom0 holds " + render_bytes(one.memory);
    result.parts.push_back(against(limits.memory, percent, text));
    Perfdata free =
        value_of("xen_memory_free", static_cast<double>(machine.memory_free.count), "B");
    free.max = static_cast<double>(machine.memory_total.count);
    result.perfdata.push_back(free);
    result.perfdata.push_back(percent_value("xen_memory_free_percent", percent, limits.memory));

    int vcpus = 0;
    for (const XenDomain& one : facts.xen->domains) vcpus += one.dying ? 0 : one.vcpus_online;
    result.perfdata.push_back(value_of("vcpus", vcpus));
    result.perfdata.push_back(value_of("cpus", machine.cpus));
    result.parts.push_back(
        part(Status::Ok, "Xen " + printable(machine.version, 64) + ", scheduler " +
                             machine.scheduler + ", " + std::to_string(vcpus) + " virtual on " +
                             counted(static_cast<std::size_t>(machine.cpus), "processor")));
}

void judge_migration(const XenHostFacts& facts, const XenHostLimits& limits, CheckResult& result) {
    if (!facts.xen) return;
    const XenMachine& machine = facts.xen->machine;
    // A live move needs the hypervisor to log which pages were written: shadow paging does it for
    // PV, either kind of paging for HVM and PVH.
    const bool pv = machine.pv && machine.shadow;
    const bool hvm = machine.hvm && (machine.hap || machine.shadow);
    const auto wanted = [&](const std::string& kind) {
        return std::find(limits.live_migration.begin(), limits.live_migration.end(), kind) !=
               limits.live_migration.end();
    };
    const bool lacking = (wanted("pv") && !pv) || (wanted("hvm") && !hvm);
    std::string text = "can move live: ";
    text += pv && hvm ? "PV, PVH and HVM" : pv ? "PV" : hvm ? "PVH and HVM" : "nothing";
    if (machine.pv && !machine.shadow) text += "; not PV, since it has no shadow paging";
    result.parts.push_back(part(lacking ? Status::Warning : Status::Ok, text));
}

void judge_own(const Dom0View& view, const XenHostLimits& limits, CheckResult& result) {
    if (view.memory_total.count <= 0) {
        result.parts.push_back(part(Status::Unknown, "dom0's own memory can't be read"));
    } else {
        const double percent = percent_of(view.memory_available, view.memory_total);
        result.parts.push_back(against(limits.own_memory, percent,
                                       "dom0 has " + render_bytes(view.memory_available) + " of " +
                                           render_bytes(view.memory_total) + " available, " +
                                           render_number(percent, 1) + " %"));
        result.perfdata.push_back(
            percent_value("dom0_memory_available_percent", percent, limits.own_memory));
    }
    const double each = view.load / std::max(1, view.cpus);
    result.parts.push_back(
        against(limits.load, each, "load " + render_number(each, 2) + " for each processor"));
    Perfdata load = value_of("dom0_load", each);
    load.threshold = limits.load;
    result.perfdata.push_back(load);
}

void judge_daemons(const Dom0View& view, const XenHostLimits& limits, CheckResult& result) {
    std::vector<std::string> sound;
    const auto judge = [&](const std::vector<std::string>& names) {
        bool stopped = false;
        for (const std::string& name : names) {
            const auto found = view.programs.find(name);
            if (found == view.programs.end()) continue;
            for (const char state : found->second) {
                if (state == 'Z' || state == 'X') continue;
                if (state != 'T' && state != 't') {
                    sound.push_back(name);
                    return;
                }
                stopped = true;
            }
        }
        result.parts.push_back(
            part(Status::Critical,
                 printable(join(names, " or "), 64) +
                     (stopped ? " is stopped (by a signal or a debugger)" : " does not run")));
    };
    for (const std::string& daemon : limits.daemons) judge(split(daemon, '/'));
    if (limits.watchdog) judge({std::string(watchdog_daemon)});
    if (!sound.empty()) result.parts.push_back(part(Status::Ok, join(sound, ", ") + " run"));
}

void judge_vifs(const XenHostFacts& facts, const Recall& recall, CheckResult& result) {
    if (!facts.vif_trouble.empty()) {
        result.parts.push_back(part(Status::Unknown, "the bridges of guests are not known: " +
                                                         printable(facts.vif_trouble)));
        return;
    }
    std::size_t joined = 0;
    for (const VifView& vif : facts.dom0.vifs) {
        const std::string name = printable(vif.name, 16);
        const std::string bridge = printable(vif.bridge, 16);
        std::string wrong;
        if (!vif.there)
            wrong = name + ": the interface is gone";
        else if (!vif.bridge.empty() && !vif.bridge_there)
            wrong = name + ": its bridge " + bridge + " is not there";
        else if (!vif.bridge.empty() && !vif.bridge_up)
            wrong = name + ": its bridge " + bridge + " is down";
        else if (!vif.bridge.empty() && !vif.joined)
            wrong = name + ": it is not in its bridge " + bridge;
        else
            ++joined;
        if (!wrong.empty()) result.parts.push_back(part(Status::Critical, wrong));
        if (recall.before == nullptr || !vif.there) continue;
        const std::string key = "errors " + vif.name;
        const auto before = recall.before->find(key);
        recall.after->put(key, std::to_string(vif.errors));
        const auto then = before ? parse_integer(*before) : std::nullopt;
        if (then && vif.errors > *then)
            result.parts.push_back(
                part(Status::Warning, name + ": " + std::to_string(vif.errors - *then) +
                                          " errors and drops since the last run"));
    }
    if (!facts.dom0.vifs.empty())
        result.parts.push_back(
            part(Status::Ok, counted(joined, "interface") + " of guests in place"));
}

void judge_rest(const Dom0View& view, const XenHostLimits& limits, CheckResult& result) {
    for (const std::string& name : view.autostart)
        result.parts.push_back(
            part(Status::Warning, printable(name, 64) +
                                      ": xendomains starts it with the host; after a recovery it "
                                      "would run twice"));
    if (!view.clock_synchronized) return;
    if (!*view.clock_synchronized)
        result.parts.push_back(part(Status::Warning, "the clock is not synchronized"));
    else
        result.parts.push_back(
            part(view.clock_error > limits.clock_error ? Status::Warning : Status::Ok,
                 "the clock is right to " + render_number(view.clock_error, 3) + " s"));
}

void judge_messages(const XenHostFacts& facts, const Recall& recall, CheckResult& result) {
    if (!facts.messages) return;
    for (const std::string& line : new_alarms(*facts.messages, recall, most_alarms))
        result.parts.push_back(
            part(Status::Warning, "the hypervisor says: " + printable(line, 160)));
}

bool is_alarming(const std::string& line) {
    return std::any_of(alarming.begin(), alarming.end(),
                       [&](std::string_view word) { return line.find(word) != std::string::npos; });
}

}  // namespace

std::vector<Option> xen_host_options() {
    const auto range = [](std::string name, std::string help, std::string value) -> Option {
        return {.name = std::move(name),
                .type = ValueType::Range,
                .help = std::move(help),
                .default_value = std::move(value)};
    };
    return {
        {.name = "local",
         .type = ValueType::Flag,
         .help = "Look at the Xen host whose dom0 this runs on, without libvirt: memory, daemons, "
                 "bridges, the clock and the hypervisor's messages. Needs root."},
        range("own-memory-warning",
              "With --local: warn when the percentage of dom0's own memory that is available is "
              "outside it.",
              "10:"),
        range("own-memory-critical", "With --local: critical when it is outside it.", "5:"),
        range("load-warning",
              "With --local: warn when dom0's load of five minutes for each processor is outside "
              "it.",
              ""),
        range("load-critical", "With --local: critical when it is outside it.", ""),
        {.name = "clock-error",
         .type = ValueType::Number,
         .value_name = "SECONDS",
         .help = "With --local: warn when the clock may be wrong by more.",
         .default_value = "1"},
        {.name = "daemon",
         .value_name = "NAME",
         .help = "With --local: a program that must run; NAME/NAME is either of two. Without it "
                 "xenstored/oxenstored, xenconsoled and libvirtd/virtxend.",
         .repeatable = true},
        {.name = "watchdog",
         .type = ValueType::Flag,
         .help = "With --local: xenwatchdogd must run, since the fencing counts on it."},
        {.name = "live-migration",
         .type = ValueType::Choice,
         .value_name = "KIND",
         .help = "With --local: warn unless the hypervisor can move such guests live; hvm stands "
                 "for PVH too.",
         .repeatable = true,
         .choices = {"pv", "hvm"}},
    };
}

XenHostLimits read_xen_host_limits(const Arguments& arguments, const Threshold& memory) {
    XenHostLimits limits;
    limits.memory = memory;
    limits.own_memory = {arguments.range("own-memory-warning"),
                         arguments.range("own-memory-critical")};
    limits.load = {arguments.range("load-warning"), arguments.range("load-critical")};
    limits.clock_error = arguments.number("clock-error").value_or(limits.clock_error);
    limits.watchdog = arguments.flag("watchdog");
    limits.daemons = arguments.all("daemon");
    if (limits.daemons.empty())
        limits.daemons = {"xenstored/oxenstored", "xenconsoled", "libvirtd/virtxend"};
    limits.live_migration = arguments.all("live-migration");
    return limits;
}

std::vector<std::string> new_alarms(const std::string& messages, const Recall& recall,
                                    std::size_t limit) {
    std::vector<std::string> alarms;
    if (recall.before == nullptr) return alarms;
    const auto lines = split(messages, '\n');
    // The last whole lines are the mark: the ring loses its oldest ones. The very last line may
    // still be growing.
    constexpr std::size_t mark_lines = 4;
    const std::size_t whole = lines.empty() ? 0 : lines.size() - 1;
    const auto mark_at = [&](std::size_t end) {
        std::string mark;
        for (std::size_t i = end - std::min(end, mark_lines); i < end; ++i) mark += lines[i] + "\n";
        return digest(mark);
    };
    const auto before = recall.before->find("messages");
    recall.after->put("messages", mark_at(whole));
    if (!before) return alarms;
    std::size_t begin = 0;  // nothing known any more: all of it is new
    for (std::size_t end = whole + 1; end-- > 0;)
        if (mark_at(end) == *before) {
            begin = end;
            break;
        }
    for (std::size_t i = begin; i < whole && alarms.size() < limit; ++i)
        if (is_alarming(lines[i])) alarms.push_back(lines[i]);
    return alarms;
}

CheckResult judge_xen_host(const XenHostFacts& facts, const XenHostLimits& limits,
                           const Recall& recall) {
    CheckResult result;
    judge_machine(facts, limits, result);
    judge_own(facts.dom0, limits, result);
    judge_daemons(facts.dom0, limits, result);
    judge_vifs(facts, recall, result);
    judge_rest(facts.dom0, limits, result);
    judge_messages(facts, recall, result);
    judge_migration(facts, limits, result);
    result.summary = what_is_wrong(result.parts);
    if (!result.summary.empty()) return result;
    std::vector<std::string> texts;
    constexpr std::size_t most_shown = 4;
    for (const CheckResult& one : result.parts)
        if (texts.size() < most_shown) texts.push_back(one.summary);
    result.summary = "this host: " + join(texts, ", ");
    return result;
}

}  // namespace domkeeper
