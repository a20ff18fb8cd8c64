// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/aoe.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

constexpr std::int64_t sector_size = 512;
/// Enough for a p99, and bounded in time on a slow disk by the deadline.
constexpr std::int64_t most_samples = 10'000;

using Interfaces = std::vector<NetworkInterface>;
using Paths = std::vector<const AoePath*>;

std::int64_t count_option(const Arguments& arguments, const std::string& name, std::int64_t most) {
    const std::int64_t count = arguments.integer(name).value_or(0);
    if (count < 0 || count > most)
        throw UsageError("--" + name + ": " + std::to_string(count) +
                         " is not a number from 0 to " + std::to_string(most));
    return count;
}

std::string mac_list(const std::vector<MacAddress>& macs) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min<std::size_t>(macs.size(), 8); ++i)
        out.push_back(render_mac(macs[i]));
    if (macs.size() > 8) out.push_back(std::to_string(macs.size() - 8) + " more");
    return join(out, ", ");
}

bool holds(const std::vector<MacAddress>& list, const MacAddress& mac) {
    return std::find(list.begin(), list.end(), mac) != list.end();
}

/// Judges one target by all its paths.
class TargetJudge {
  public:
    TargetJudge(const Interfaces& interfaces, const AoeExpectations& wanted)
        : interfaces_(interfaces), wanted_(wanted) {}

    CheckResult judge(AoeAddress address, const std::optional<Bytes>& size, const Paths& paths) {
        const std::string name = render_aoe_address(address);
        result_ = {};
        if (paths.empty()) {
            add(Status::Critical, "no answer" + where() +
                                      ": is the target running, its link up, and this card let in "
                                      "by its MAC mask?");
            fold_problems(name, "", result_);
            return std::move(result_);
        }
        judge_ways(paths);
        for (const AoePath* path : paths) judge_path(*path);
        judge_size(paths, size);
        judge_buffers(paths);
        judge_access(paths);
        std::vector<std::chrono::microseconds> reads;
        for (const AoePath* path : paths)
            reads.insert(reads.end(), path->latencies.begin(), path->latencies.end());
        const Latency latency = summarize(std::move(reads));
        judge_disk(name, latency, bytes_of(paths), wanted_.thresholds, result_);
        Perfdata buffers = value_of(name + "_buffers", paths.front()->config.buffers);
        result_.perfdata.push_back(std::move(buffers));
        fold_problems(name, well(paths, latency), result_);
        return std::move(result_);
    }

  private:
    void add(Status status, std::string text) {
        result_.parts.push_back(part(status, std::move(text)));
    }

    const std::string& port_name(const AoePath& path) const { return interfaces_[path.port].name; }

    std::string where() const {
        std::vector<std::string> names;
        for (const NetworkInterface& one : interfaces_) names.push_back(one.name);
        return " on " + join(names, " and ");
    }

    static std::optional<double> bytes_of(const Paths& paths) {
        for (const AoePath* path : paths)
            if (path->identity) return static_cast<double>(path->identity->sectors) * sector_size;
        return std::nullopt;
    }

    /// Two that answer for one address are the end of the data on it.
    void judge_ways(const Paths& paths) {
        for (std::size_t port = 0; port < interfaces_.size(); ++port) {
            std::vector<MacAddress> macs;
            for (const AoePath* path : paths)
                if (path->port == port) macs.push_back(path->mac);
            if (macs.empty() && interfaces_[port].link)
                add(Status::Warning, "no answer on " + interfaces_[port].name +
                                         ", one way less: look at that network");
            if (macs.size() > 1)
                add(Status::Critical, std::to_string(macs.size()) +
                                          " cards answer for this address on " +
                                          interfaces_[port].name + " (" + mac_list(macs) +
                                          "): two disks under one name destroy data, stop one");
        }
        for (const AoePath* path : paths) {
            const AoePath& first = *paths.front();
            if (!path->identity || !first.identity || path->port == first.port) continue;
            if (path->identity->serial == first.identity->serial &&
                path->identity->sectors == first.identity->sectors)
                continue;
            add(Status::Critical, "another disk answers on " + port_name(*path) + " than on " +
                                      port_name(first) + ": two targets have one address");
            break;
        }
    }

    void judge_path(const AoePath& path) {
        const std::string on = interfaces_.size() > 1 ? " on " + port_name(path) : "";
        const std::size_t asked = path.latencies.size() + path.failed_reads;
        if (path.silent)
            add(Status::Critical, "fell silent" + on + " after " + counted(asked, "read") +
                                      ": the target hangs or has gone");
        if (path.refused == AoeError::Reserved)
            judge_refusal(path);
        else if (!path.trouble.empty())
            add(Status::Critical,
                (path.failed_reads > 0 ? std::to_string(path.failed_reads) + " of " +
                                             counted(asked, "read") + " failed" + on
                                       : "trouble" + on) +
                    " (" + path.trouble + "): look at the target's disk");
        else if (path.identity && path.identity->sectors == 0)
            add(Status::Critical, "has no sectors" + on + ": look at the target's disk");
        if (path.lost > 0)
            add(Status::Warning, counted(path.lost, "frame") + " lost" + on +
                                     ": look at cable, switch port and load");
        if (path.doubled > 0)
            add(Status::Warning, counted(path.doubled, "answer") + " came twice" + on +
                                     ": look for a loop or a mirror port in the network");
        if (path.config.version > 1)
            add(Status::Warning, "speaks AoE version " + std::to_string(path.config.version));
    }

    void judge_refusal(const AoePath& path) {
        // Where a list of hosts is expected, judge_access() compares it; that this machine is not
        // among them is then as it should be.
        if (!wanted_.access.empty()) return;
        add(Status::Critical, "reserved for " +
                                  mac_list(path.reserved.value_or(std::vector<MacAddress>())) +
                                  ", and this machine (" + render_mac(interfaces_[path.port].mac) +
                                  ") may not read: release it, or name the hosts with --access");
    }

    void judge_size(const Paths& paths, const std::optional<Bytes>& size) {
        const auto have = bytes_of(paths);
        if (!size || !have) return;
        const Bytes is{static_cast<std::int64_t>(*have)};
        if (is < *size)
            add(Status::Critical, "is " + render_bytes(is) + ", shorter than the " +
                                      render_bytes(*size) +
                                      " expected: start no domain on it before you know why");
        if (is > *size)
            add(Status::Warning, "is " + render_bytes(is) + ", longer than the " +
                                     render_bytes(*size) + " expected: is it the right disk?");
    }

    void judge_buffers(const Paths& paths) {
        const std::int64_t buffers = paths.front()->config.buffers;
        if (wanted_.initiators > 0 && buffers < wanted_.initiators)
            add(Status::Warning,
                "queues " + std::to_string(buffers) + " requests for " +
                    std::to_string(wanted_.initiators) +
                    " initiators, the rest wait: give it more buffers (vblade -b)");
    }

    void judge_access(const Paths& paths) {
        if (wanted_.access.empty()) return;
        const auto& list = paths.front()->reserved;
        if (!list) {
            if (!paths.front()->silent)
                add(Status::Unknown, "does not say for whom it is reserved");
            return;
        }
        if (list->empty()) return;
        std::vector<MacAddress> out;
        std::vector<MacAddress> strangers;
        for (const MacAddress& mac : wanted_.access)
            if (!holds(*list, mac)) out.push_back(mac);
        for (const MacAddress& mac : *list) {
            const bool own = std::any_of(interfaces_.begin(), interfaces_.end(),
                                         [&](const auto& one) { return one.mac == mac; });
            if (!own && !holds(wanted_.access, mac)) strangers.push_back(mac);
        }
        if (!out.empty())
            add(Status::Critical, mac_list(out) +
                                      " shut out by a reservation: when the host is "
                                      "well again, readmit it (fence_aoe -o on)");
        if (!strangers.empty())
            add(Status::Critical,
                "reserved for a stranger, " + mac_list(strangers) + ": find out who took it");
    }

    std::string well(const Paths& paths, const Latency& latency) const {
        const AoePath& first = *paths.front();
        std::vector<std::string> texts;
        if (const auto bytes = bytes_of(paths))
            texts.push_back(render_bytes({static_cast<std::int64_t>(*bytes)}));
        texts.push_back(latency_text(latency));
        if (first.identity && !first.identity->model.empty())
            texts.push_back(printable(first.identity->model, 40));
        texts.push_back("firmware " + std::to_string(first.config.firmware));
        texts.push_back(counted(first.config.buffers, "buffer"));
        if (!first.config.config.empty())
            texts.push_back("config \"" + printable(first.config.config, 64) + "\"");
        if (first.reserved && !first.reserved->empty())
            texts.push_back("reserved for " + mac_list(*first.reserved));
        std::vector<std::string> ways;
        for (const AoePath* path : paths)
            ways.push_back(render_mac(path->mac) + " on " + port_name(*path));
        texts.push_back("at " + join(ways, " and "));
        return join(texts, ", ");
    }

    const Interfaces& interfaces_;
    const AoeExpectations& wanted_;
    CheckResult result_;
};

CheckResult judge_interface(const NetworkInterface& interface, const std::string& trouble) {
    if (!interface.up)
        return part(Status::Critical, "interface " + interface.name +
                                          " is switched off: ip link set " + interface.name +
                                          " up");
    if (!interface.link)
        return part(Status::Critical,
                    "interface " + interface.name + " has no link: look at cable and switch port");
    if (!trouble.empty())
        return part(Status::Critical,
                    "interface " + interface.name + " sends nothing: " + printable(trouble));
    return part(Status::Ok,
                "interface " + interface.name + " (" + render_mac(interface.mac) + ") has a link");
}

}  // namespace

AoeExpectations::Target parse_aoe_target(const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto address = parse_aoe_address(std::string_view(text).substr(0, equals));
    AoeExpectations::Target out;
    bool good = address.has_value();
    if (good) out.address = *address;
    if (good && equals != std::string::npos) {
        out.size = parse_bytes(std::string_view(text).substr(equals + 1));
        good = out.size && out.size->count > 0;
    }
    if (!good)
        throw UsageError("--target: '" + printable(text, 60) +
                         "' is no target, for example 7.3 or 7.3=8GiB");
    return out;
}

std::vector<Option> aoe_options() {
    std::vector<Option> out = {
        {.name = "interface",
         .letter = 'i',
         .value_name = "IF",
         .help = "Ask on this network interface.",
         .repeatable = true},
        {.name = "target",
         .letter = 'T',
         .value_name = "SHELF.SLOT[=SIZE]",
         .help = "A target that must answer, and how large it should be. Without any: all that "
                 "answer.",
         .repeatable = true},
        {.name = "samples",
         .type = ValueType::Integer,
         .help = "Read so many sectors of each target; 10, of more than five "
                 "targets 5, of more than ten the first and the last."},
        {.name = "initiators",
         .type = ValueType::Integer,
         .help = "Hosts that share each target: warn when it has fewer buffers."},
        {.name = "access",
         .value_name = "MAC",
         .help = "A host that a reservation must let in; others are then strangers.",
         .repeatable = true},
        {.name = "listen",
         .type = ValueType::TimeSpan,
         .help = "Hear at least so long who answers; 500ms, with --target ten times as long as the "
                 "slowest took to answer, 5ms at most."},
        {.name = "patience",
         .type = ValueType::TimeSpan,
         .help = "Give a target up that has been silent for so long.",
         .default_value = "1s"}};
    for (Option& option : disk_threshold_options()) out.push_back(std::move(option));
    return out;
}

AoeExpectations read_aoe_expectations(const Arguments& arguments) {
    AoeExpectations out;
    for (const std::string& text : arguments.all("target")) {
        out.targets.push_back(parse_aoe_target(text));
        for (std::size_t i = 0; i + 1 < out.targets.size(); ++i)
            if (out.targets[i].address == out.targets.back().address)
                throw UsageError("--target: " + render_aoe_address(out.targets[i].address) +
                                 " is named twice");
    }
    for (const std::string& text : arguments.all("access")) {
        const auto mac = parse_mac(text);
        if (!mac || !is_unicast(*mac))
            throw UsageError("--access: '" + printable(text, 40) +
                             "' is no MAC address, for example 02:a0:e0:00:00:01");
        out.access.push_back(*mac);
    }
    out.initiators = count_option(arguments, "initiators", 65535);
    out.thresholds = read_disk_thresholds(arguments);
    return out;
}

std::size_t sample_count(const Arguments& arguments, std::size_t disks) {
    // The more disks, the more there is to hear of the network and the storage node from each.
    constexpr std::size_t some = 5;
    constexpr std::size_t many = 10;
    if (!arguments.given("samples")) return disks > many ? 2 : disks > some ? 5 : 10;
    return static_cast<std::size_t>(count_option(arguments, "samples", most_samples));
}

CheckResult check_aoe_wire(PacketSocket& socket, const Arguments& arguments, Deadline deadline) {
    const AoeExpectations wanted = read_aoe_expectations(arguments);
    AoeSurveyOrder order;
    for (const auto& target : wanted.targets) order.targets.push_back(target.address);
    order.samples = sample_count(arguments, order.targets.size());
    order.listen = arguments.duration("listen").value_or(Duration{order.targets.empty() ? 500 : 5});
    order.listen_briefly = !arguments.given("listen");
    order.patience = arguments.duration("patience").value_or(order.patience);
    Interfaces interfaces;
    for (const std::string& name : arguments.all("interface"))
        interfaces.push_back(read_interface(name));
    if (interfaces.empty()) throw UsageError("--interface IF is needed");
    socket.listen(aoe_ether_type);
    const AoeSurveyed seen = read_aoe(socket, interfaces, std::move(order),
                                      reading_deadline(deadline, arguments.timeout()));
    return judge_aoe(interfaces, seen, wanted);
}

CheckResult judge_aoe(const Interfaces& interfaces, const AoeSurveyed& seen,
                      const AoeExpectations& wanted) {
    CheckResult result;
    bool any_link = false;
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        result.parts.push_back(judge_interface(interfaces[i], seen.trouble[i]));
        any_link = any_link || overall(result.parts.back()) == Status::Ok;
    }
    std::map<AoeAddress, Paths> paths;
    for (const AoePath& path : seen.facts.paths) paths[path.address].push_back(&path);

    std::vector<AoeExpectations::Target> targets = wanted.targets;
    if (targets.empty())
        for (const auto& [address, ways] : paths) targets.push_back({address, {}});
    TargetJudge judge(interfaces, wanted);
    std::vector<std::string> well;
    for (const auto& target : targets) {
        result.parts.push_back(judge.judge(target.address, target.size, paths[target.address]));
        well.push_back(result.parts.back().summary);
    }
    if (targets.empty() && any_link)
        result.parts.push_back(part(
            Status::Critical, "no target answers: are they running, and is this card let in?"));
    if (!seen.facts.strangers.empty())
        result.parts.push_back(part(
            Status::Ok, counted(seen.facts.strangers.size(), "other target") + " on the network"));
    result.perfdata.push_back(value_of("targets", static_cast<double>(paths.size())));
    result.perfdata.push_back(
        value_of("dropped_malformed", static_cast<double>(seen.facts.malformed)));
    result.perfdata.push_back(value_of("dropped_unasked", static_cast<double>(seen.facts.unasked)));

    const std::string wrong = what_is_wrong(result.parts);
    if (!wrong.empty())
        result.summary = wrong;
    else if (well.size() == 1)
        result.summary = well.front();
    else
        result.summary = counted(well.size(), "target") + ", all well";
    return result;
}

}  // namespace domkeeper
