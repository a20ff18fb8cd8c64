// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/iscsi.hpp"

#include <algorithm>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_fence.hpp"
#include "lib/io/secret_file.hpp"
#include "plugins/aoe.hpp"
#include "plugins/target.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

/// What ScsiReply says of a command that another host's reservation forbids.
constexpr std::string_view conflict_text = "reservation conflict";
/// SAM-5: of the forms of a LUN this program uses the one of 14 bits.
constexpr std::int64_t highest_lun = 16'383;
/// Threads at most; more units wait for a free one.
constexpr std::size_t most_lanes = 64;

template <typename T>
bool holds(const std::vector<T>& list, const T& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

std::string key_list(const std::vector<std::uint64_t>& keys) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min<std::size_t>(keys.size(), 8); ++i)
        out.push_back(render_key(keys[i]));
    if (keys.size() > 8) out.push_back(std::to_string(keys.size() - 8) + " more");
    return join(out, ", ");
}

void add(CheckResult& result, Status status, std::string text) {
    result.parts.push_back(part(status, std::move(text)));
}

void judge_reservation(const IscsiDisk& disk, const IscsiExpectations& wanted,
                       CheckResult& result) {
    if (wanted.keys.empty()) return;
    if (!disk.keys || !disk.reservation) {
        add(result, Status::Unknown, "does not do persistent reservations");
        return;
    }
    std::vector<std::uint64_t> missing;
    std::vector<std::uint64_t> strangers;
    for (const std::uint64_t key : wanted.keys)
        if (!holds(*disk.keys, key)) missing.push_back(key);
    for (const std::uint64_t key : *disk.keys)
        if (!holds(wanted.keys, key) && key != iscsi_fence_key && !holds(strangers, key))
            strangers.push_back(key);
    if (!missing.empty())
        add(result, Status::Critical,
            "not registered: " + key_list(missing) +
                (*disk.reservation ? ", and may not write: when the host is well again, readmit it "
                                     "there (fence_iscsi -o on)"
                                   : ": no reservation holds it back yet, and none could"));
    if (!strangers.empty())
        add(result, Status::Critical,
            "a stranger is registered, " + key_list(strangers) + ": find out who took it");
}

void judge_ways(const IscsiDisk& disk, CheckResult& result) {
    if (disk.port_groups.empty()) return;
    const auto in_state = [&](auto state) {
        return std::count_if(disk.port_groups.begin(), disk.port_groups.end(),
                             [&](const ScsiPortGroup& group) { return state(group.state); });
    };
    if (in_state([](std::uint8_t state) { return state <= 1; }) == 0)
        add(result, Status::Critical, "no port of it is active (ALUA): look at the controllers");
    else if (in_state([](std::uint8_t state) { return state >= 3; }) > 0)
        add(result, Status::Warning,
            "a group of its ports is unavailable (ALUA): look at its controller");
}

std::string well_text(const IscsiDisk& disk, const Latency& latency) {
    std::vector<std::string> texts;
    if (disk.capacity)
        texts.push_back(render_bytes(
            {static_cast<std::int64_t>(disk.capacity->blocks * disk.capacity->block_size)}));
    texts.push_back(latency_text(latency));
    if (disk.inquiry)
        texts.push_back(
            printable(disk.inquiry->vendor + " " + disk.inquiry->product, 40) +
            (disk.inquiry->revision.empty() ? "" : " " + printable(disk.inquiry->revision, 8)));
    if (disk.keys && !disk.keys->empty()) texts.push_back("registered " + key_list(*disk.keys));
    if (disk.reservation && *disk.reservation)
        texts.push_back("reserved (" + reservation_text((*disk.reservation)->type) + ")");
    if (!disk.port_groups.empty())
        texts.push_back(counted(disk.port_groups.size(), "group") + " of ports");
    return join(texts, ", ");
}

std::string secret_of(const Arguments& arguments, const std::string& user,
                      const std::string& file) {
    if (!arguments.given(user) && arguments.given(file))
        throw UsageError("--" + file + " without --" + user);
    if (!arguments.given(user)) return {};
    if (!arguments.given(file)) throw UsageError("--" + user + " needs --" + file);
    return read_secret_file(arguments.text(file));
}

IscsiLogin read_login(const Arguments& arguments) {
    IscsiLogin out;
    out.initiator = arguments.text("initiator-name");
    out.user = arguments.text("user");
    out.password = secret_of(arguments, "user", "password-file");
    out.target_user = arguments.text("target-user");
    out.target_password = secret_of(arguments, "target-user", "target-password-file");
    if (!out.target_user.empty() && out.user.empty())
        throw UsageError("--target-user needs --user: only a target that asks can be asked");
    return out;
}

IscsiExpectations read_expectations(const Arguments& arguments) {
    IscsiExpectations out;
    for (const std::string& text : arguments.all("key")) {
        const auto key = parse_key(text);
        if (!key)
            throw UsageError("--key: '" + printable(text, 20) +
                             "' is no reservation key, for example 0xa1");
        out.keys.push_back(*key);
    }
    out.read_only = arguments.flag("read-only");
    out.thresholds = read_disk_thresholds(arguments);
    return out;
}

std::string trouble_of(const std::exception_ptr& error, const std::string& late) {
    if (!error) return late;
    try {
        std::rethrow_exception(error);
    } catch (const Error& one) {
        return one.what();
    }
}

CheckResult summed_up(CheckResult result) {
    const std::string wrong = what_is_wrong(result.parts);
    if (!wrong.empty())
        result.summary = wrong;
    else if (result.parts.size() == 1)
        result.summary = result.parts.front().summary;
    else
        result.summary = counted(result.parts.size(), "disk") + ", all well";
    return result;
}

}  // namespace

IscsiUnit parse_iscsi_unit(const std::string& text, int lun) {
    IscsiUnit out;
    out.lun = lun;
    std::string_view rest = text;
    bool good = true;
    if (const std::size_t equals = rest.rfind('='); equals != std::string_view::npos) {
        out.size = parse_bytes(rest.substr(equals + 1));
        good = out.size && out.size->count > 0;
        rest = rest.substr(0, equals);
    }
    if (const std::size_t slash = rest.rfind('/'); slash != std::string_view::npos) {
        const auto number = parse_integer(rest.substr(slash + 1));
        good = good && number && *number >= 0 && *number <= highest_lun;
        if (good) out.lun = static_cast<int>(*number);
        rest = rest.substr(0, slash);
    }
    out.target = rest;
    // RFC 7143, 4.2.7: names have at most 223 bytes.
    good = good && !out.target.empty() && out.target.size() <= 223 &&
           std::none_of(out.target.begin(), out.target.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
    if (!good)
        throw UsageError("--target: '" + printable(text, 80) +
                         "' is no target, for example iqn.2026-01.lab:t1, iqn.2026-01.lab:t1/1 or "
                         "iqn.2026-01.lab:t1/1=8GiB");
    return out;
}

std::vector<IscsiUnit> read_iscsi_units(const Arguments& arguments) {
    std::vector<int> luns;
    for (const std::string& text : arguments.all("lun")) {
        const auto number = parse_integer(text);
        if (!number || *number < 0 || *number > highest_lun)
            throw UsageError("--lun: '" + printable(text, 20) + "' is no LUN");
        luns.push_back(static_cast<int>(*number));
    }
    std::vector<IscsiUnit> out;
    for (const std::string& text : arguments.all("target"))
        for (const int lun : luns) {
            out.push_back(parse_iscsi_unit(text, lun));
            if (text.find('/') != std::string::npos) break;
        }
    return out;
}

std::vector<Option> iscsi_options() {
    std::vector<Option> out = {
        {.name = "portal",
         .letter = 'H',
         .value_name = "HOST[:PORT]",
         .help = "Ask this portal; with several, each of them.",
         .repeatable = true},
        {.name = "target",
         .letter = 'T',
         .value_name = "IQN[/LUN][=SIZE]",
         .help = "A target that must be there, and how large its disk should be. Without any: "
                 "discovery alone.",
         .repeatable = true},
        {.name = "lun",
         .letter = 'l',
         .value_name = "N",
         .help = "The LUN of targets that are named without one.",
         .default_value = "0",
         .repeatable = true},
        {.name = "user", .letter = 'u', .value_name = "NAME", .help = "Log in with CHAP as this."},
        {.name = "password-file",
         .type = ValueType::File,
         .help = "File with the password in its first line, closed to other users."},
        {.name = "target-user",
         .value_name = "NAME",
         .help = "Mutual CHAP: the target must prove to be this."},
        {.name = "target-password-file",
         .type = ValueType::File,
         .help = "File with the target's password."},
        {.name = "initiator-name",
         .value_name = "IQN",
         .help = "The name to log in by.",
         .default_value = "iqn.2026-01.domkeeper:monitor"},
        {.name = "samples",
         .type = ValueType::Integer,
         .help =
             "Read so many blocks of each disk; 10, of more than five disks 5, of more than ten "
             "the first and the last."},
        {.name = "key",
         .value_name = "KEY",
         .help = "The reservation key of a host that must be registered; others are then "
                 "strangers.",
         .repeatable = true},
        {.name = "read-only", .type = ValueType::Flag, .help = "Write protection is no fault."}};
    for (Option& option : disk_threshold_options()) out.push_back(std::move(option));
    return out;
}

CheckResult judge_iscsi(const std::string& place, const std::string& label, const IscsiUnit& unit,
                        const IscsiDisk& disk, const IscsiExpectations& wanted) {
    CheckResult result;
    const std::string lun = "LUN " + std::to_string(unit.lun);
    if (!disk.trouble.empty()) {
        // The message names the place by itself.
        result.status = Status::Critical;
        result.summary = disk.trouble;
        return result;
    }
    if (disk.absent) {
        result.status = Status::Critical;
        result.summary = place + ": has no " + lun + ": look at the target's configuration";
        return result;
    }
    const bool reserved = disk.not_ready == conflict_text ||
                          disk.read_trouble.find(conflict_text) != std::string::npos;
    if (reserved)
        add(result, Status::Critical,
            lun + " is reserved by another host for itself (" + std::string(conflict_text) +
                "): find out who holds it, and end that");
    else if (!disk.not_ready.empty())
        add(result, Status::Critical,
            lun + " is not ready: " + disk.not_ready + ": look at the target's disk");
    if (disk.inquiry && disk.inquiry->kind != 0)
        add(result, Status::Critical,
            lun + " is no disk (type " + std::to_string(disk.inquiry->kind) +
                "): is it another LUN?");
    else if (!disk.capacity && !reserved)
        add(result, Status::Critical,
            lun + " does not say how large it is: look at the target's disk");
    if (disk.failed_reads > 0 && !reserved)
        add(result, Status::Critical,
            std::to_string(disk.failed_reads) + " of " +
                counted(disk.failed_reads + disk.latencies.size(), "read") + " failed (" +
                disk.read_trouble + "): look at the target's disk");
    const Latency latency = summarize(disk.latencies);
    std::optional<double> bytes;
    if (disk.capacity) {
        const Bytes is{
            static_cast<std::int64_t>(disk.capacity->blocks * disk.capacity->block_size)};
        bytes = static_cast<double>(is.count);
        if (unit.size && is < *unit.size)
            add(result, Status::Critical,
                "is " + render_bytes(is) + ", shorter than the " + render_bytes(*unit.size) +
                    " expected: start no domain on it before you know why");
        if (unit.size && is > *unit.size)
            add(result, Status::Warning,
                "is " + render_bytes(is) + ", longer than the " + render_bytes(*unit.size) +
                    " expected: is it the right disk?");
    }
    if (disk.write_protected.value_or(false) && !wanted.read_only)
        add(result, Status::Critical,
            "is write protected: domains on it will fail (or say --read-only)");
    judge_reservation(disk, wanted, result);
    judge_ways(disk, result);
    judge_disk(label, latency, bytes, wanted.thresholds, result);
    fold_problems(place, well_text(disk, latency), result);
    return result;
}

CheckResult judge_discovery(const std::string& portal, const std::vector<IscsiTarget>& targets) {
    CheckResult result;
    if (targets.empty())
        return part(Status::Critical,
                    portal + ": offers no target to this initiator: let it in at the target");
    result.summary = portal + ": " + counted(targets.size(), "target");
    for (const IscsiTarget& target : targets) {
        std::vector<std::string> portals;
        for (const std::string& one : target.portals) portals.push_back(printable(one, 60));
        result.parts.push_back(
            part(Status::Ok, printable(target.name, 223) + " at " + join(portals, " and ")));
    }
    result.perfdata.push_back(value_of("targets", static_cast<double>(targets.size())));
    return result;
}

CheckResult check_iscsi_wire(const Arguments& arguments, Deadline deadline) {
    const IscsiExpectations wanted = read_expectations(arguments);
    const std::vector<IscsiUnit> units = read_iscsi_units(arguments);
    const IscsiLogin base = read_login(arguments);
    const std::size_t samples =
        sample_count(arguments, units.size() * arguments.all("portal").size());
    std::vector<IscsiLogin> portals;
    for (const std::string& text : arguments.all("portal")) {
        portals.push_back(base);
        parse_portal(text, portals.back());
    }
    if (portals.empty()) throw UsageError("--portal HOST[:PORT] is needed");
    const Deadline reading = reading_deadline(deadline, arguments.timeout());
    // A thread each, and one that hangs in the library is left behind.
    const auto limits = [&](std::size_t count) {
        return WalkLimits{.deadline = {reading.at + Duration{50}},
                          .item_time = arguments.timeout(),
                          .lanes = std::min(count, most_lanes),
                          .max_late = count};
    };
    CheckResult result;
    if (units.empty()) {
        const auto found = bounded_walk<std::vector<IscsiTarget>>(
            portals.size(), limits(portals.size()), [portals, reading](std::size_t i) {
                IscsiSession session(portals[i], reading);
                return session.discover(reading);
            });
        for (std::size_t i = 0; i < portals.size(); ++i) {
            const std::string place = iscsi_place(portals[i]);
            if (found[i].value)
                result.parts.push_back(judge_discovery(place, *found[i].value));
            else
                result.parts.push_back(part(
                    Status::Critical, trouble_of(found[i].error, place + ": no answer in time")));
        }
        return summed_up(std::move(result));
    }
    std::vector<IscsiOrder> orders;
    orders.reserve(portals.size() * units.size());
    for (const IscsiLogin& portal : portals)
        for (const IscsiUnit& unit : units) {
            orders.push_back({portal, unit.lun});
            orders.back().login.target = unit.target;
        }
    const IscsiQuestions questions{samples, !wanted.keys.empty()};
    const std::vector<IscsiDisk> found = read_iscsi_disks(orders, questions, reading);
    result.parts.reserve(orders.size());
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const IscsiUnit& unit = units[i % units.size()];
        const std::string place =
            iscsi_place(orders[i].login) + ", LUN " + std::to_string(unit.lun);
        std::string label = unit.target + "/" + std::to_string(unit.lun);
        if (portals.size() > 1) label += "@" + orders[i].login.host;
        result.parts.push_back(judge_iscsi(place, label, unit, found[i], wanted));
    }
    return summed_up(std::move(result));
}

}  // namespace domkeeper
