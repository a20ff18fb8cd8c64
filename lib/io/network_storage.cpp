// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/network_storage.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/scsi_codec.hpp"
#include "lib/core/text.hpp"
#include "lib/io/aoe_network.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_session.hpp"
#include "lib/io/resolver.hpp"
#include "lib/io/secret_file.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {
namespace {

/// A thread more or less is nothing beside the wait for a target; a site with more units than this
/// is looked at in turns.
constexpr std::size_t most_lanes = 64;
/// What a thread may be late behind its own deadline.
constexpr Duration grace{30};

/// What became of some units: the reason by unit, empty for a unit that is well.
struct Seen {
    std::map<std::string, std::string> down;
    std::string unasked;  ///< not empty: nothing could be asked, and why
};

// ---- iSCSI ------------------------------------------------------------------------------------

/// Why this machine has no way to the address at all; empty: it has one. A datagram socket asks the
/// routing table and sends nothing.
std::string no_route(const SocketAddress& address) {
    const UniqueFd fd(socket(address.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage to{};
    std::memcpy(&to, address.bytes.data(), address.length);
    if (!fd) return std::strerror(errno);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), address.length) == 0) return {};
    return std::strerror(errno);
}

/// Why the unit serves nobody; empty: it does.
std::string unit_trouble(const ScsiReply& reply) {
    if (!reply.sense) return {};
    switch (reply.sense->key) {
        case scsi_not_ready:
        case scsi_medium_error:
        case scsi_hardware_error: return reply.text();
        case scsi_illegal_request: return reply.sense->asc == scsi_no_such_lun ? reply.text() : "";
        default: return {};
    }
}

Seen look_at_unit(const StorageNode& storage, const std::string& unit, Deadline deadline) {
    Seen seen;
    try {
        IscsiLogin login;
        login.host = option_of(storage, "ip");
        login.port =
            static_cast<int>(parse_integer(option_of(storage, "ipport")).value_or(login.port));
        login.user = option_of(storage, "username");
        if (!login.user.empty()) login.password = read_secret_file(storage.password_file);
        if (const std::string name = option_of(storage, "initiator"); !name.empty())
            login.initiator = name;
        const std::size_t slash = unit.rfind('/');
        login.target = unit.substr(0, slash);
        const int lun =
            static_cast<int>(parse_integer(std::string_view(unit).substr(slash + 1)).value_or(0));
        try {
            const auto addresses = resolve(login.host, login.port, AddressFamily::Any, deadline);
            login.host = addresses.front().text;
            seen.unasked = no_route(addresses.front());
        } catch (const Error& error) {
            seen.unasked = error.what();
        }
        if (!seen.unasked.empty()) return seen;
        IscsiSession session(login, deadline);
        const ScsiReply reply = session.command(lun, scsi_test_unit_ready(), deadline);
        seen.down[unit] = unit_trouble(reply);
        if (!seen.down[unit].empty()) seen.down[unit].insert(0, printable(unit, 120) + ": ");
    } catch (const Unreachable& error) {
        seen.down[unit] = error.what();
    } catch (const TimedOut& error) {
        seen.down[unit] = error.what();
    } catch (const ProtocolError& error) {
        seen.down[unit] = error.what();
    } catch (const Error& error) {
        seen.unasked = error.what();
    }
    return seen;
}

// ---- AoE --------------------------------------------------------------------------------------

/// The AoE address of a unit such as "e7.1".
std::optional<AoeAddress> address_of(const std::string& unit) {
    return parse_aoe_address(starts_with(unit, "e") ? unit.substr(1) : unit);
}

std::string path_trouble(const AoePath* path) {
    if (path == nullptr) return "no answer";
    if (path->silent) return "it fell silent";
    // Whom a reservation keeps out gets an answer all the same.
    if (path->failed_reads > 0 && path->refused != AoeError::Reserved)
        return path->trouble.empty() ? "reads fail" : path->trouble;
    return {};
}

Seen look_at_shelf(const StorageNode& storage, Deadline deadline) {
    Seen seen;
    try {
        const NetworkInterface interface = read_interface(option_of(storage, "interface"));
        if (!interface.up || !interface.link) {
            seen.unasked = "interface " + interface.name + " of this node has no link";
            return seen;
        }
        const std::set<std::string> units = storage_units(storage);
        AoeSurveyOrder order;
        for (const std::string& unit : units)
            if (const auto address = address_of(unit)) order.targets.push_back(*address);
        order.samples = 1;
        PacketSocket socket = PacketSocket::open();
        socket.listen(aoe_ether_type);
        const AoeSurveyed found = read_aoe(socket, {interface}, std::move(order), deadline);
        if (!found.trouble.front().empty() && found.facts.paths.empty()) {
            seen.unasked = interface.name + ": " + found.trouble.front();
            return seen;
        }
        for (const std::string& unit : units) {
            const AoePath* best = nullptr;
            for (const AoePath& path : found.facts.paths)
                if (path.address == address_of(unit) &&
                    (best == nullptr || !path_trouble(best).empty()))
                    best = &path;
            seen.down[unit] = path_trouble(best);
            if (!seen.down[unit].empty()) seen.down[unit].insert(0, unit + ": ");
        }
    } catch (const Error& error) {
        seen.unasked = error.what();
    }
    return seen;
}

// ---- both -------------------------------------------------------------------------------------

struct Question {
    std::size_t storage;
    std::string unit;  ///< empty: all of an AoE node
};

void add(StorageReport& report, const Seen& seen) {
    if (!seen.unasked.empty()) {
        report.asked = false;
        report.evidence = printable(seen.unasked, 240);
    }
    for (const auto& [unit, why] : seen.down) {
        if (why.empty()) continue;
        if (report.down.empty() && report.asked) report.evidence = printable(why, 240);
        report.down.insert(unit);
    }
}

}  // namespace

std::vector<StorageReport> NetworkStorage::look(const std::vector<StorageNode>& storages,
                                                Deadline deadline) {
    std::vector<Question> questions;
    std::vector<StorageReport> reports;
    for (std::size_t i = 0; i < storages.size(); ++i) {
        reports.push_back({storages[i].name, {}, true, {}});
        if (storages[i].agent == "aoe")
            questions.push_back({i, {}});
        else
            for (const std::string& unit : storage_units(storages[i]))
                questions.push_back({i, unit});
    }
    const Duration left = deadline.remaining(mono_now());
    const auto answers = bounded_walk<Seen>(
        questions.size(),
        {.deadline = {deadline.at + grace},
         .item_time = left + grace,
         .lanes = std::min(questions.size(), most_lanes),
         .max_late = questions.size() + 1},
        [storages, questions, deadline](std::size_t i) {
            const StorageNode& storage = storages[questions[i].storage];
            return questions[i].unit.empty() ? look_at_shelf(storage, deadline)
                                             : look_at_unit(storage, questions[i].unit, deadline);
        });
    for (std::size_t i = 0; i < questions.size(); ++i) {
        StorageReport& report = reports[questions[i].storage];
        if (answers[i].value)
            add(report, *answers[i].value);
        else
            add(report, {{}, "the look at it did not end in time"});
    }
    for (StorageReport& report : reports) {
        // One disk that could not be asked says nothing of the others.
        if (!report.down.empty()) report.asked = true;
        if (report.evidence.empty()) report.evidence = "every disk answers";
    }
    return reports;
}

}  // namespace domkeeper
