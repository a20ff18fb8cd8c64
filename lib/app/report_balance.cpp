// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report_balance.hpp"

#include <cmath>

#include "lib/core/table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string percent(double share) {
    return std::to_string(std::lround(share * 100)) + "%";
}

std::string vcpus(const HostShare& share) {
    if (share.cpus <= 0) return std::to_string(share.vcpus);
    return std::to_string(share.vcpus) + "/" + std::to_string(share.cpus);
}

bool is_even(const BalanceReport& report, const std::vector<HostShare>& shares) {
    const double tolerance = report.tolerance / 100.0;
    return memory_spread(shares) <= tolerance && vcpu_spread(shares) <= tolerance;
}

Json spread_json(const std::vector<HostShare>& shares) {
    return Json::object()
        .set("memory_percent", std::lround(memory_spread(shares) * 100))
        .set("vcpu_percent", std::lround(vcpu_spread(shares) * 100));
}

}  // namespace

std::string render_balance(const BalanceReport& report) {
    std::string text;
    if (!report.objection.empty())
        text += "Now nothing would be done: " + printable(report.objection, 1024) + "\n";
    Table hosts({{"HOST"},
                 {"MEMORY", true},
                 {"USED", true},
                 {"VCPUS", true},
                 {"THEN", true},
                 {"THEN VCPUS", true},
                 {""}});
    for (std::size_t i = 0; i < report.before.size(); ++i) {
        const HostShare& now = report.before[i];
        const HostShare& then = report.after[i];
        hosts.add({now.host, render_bytes(now.memory), percent(now.memory_share()), vcpus(now),
                   percent(then.memory_share()), vcpus(then), now.closed ? "in maintenance" : ""});
    }
    if (!hosts.empty()) text += hosts.render();
    if (!report.unread.empty())
        text += "No answer from " + join(report.unread, ", ") +
                ": what may run there stays where it is.\n";
    const std::string limit = std::to_string(report.tolerance) + "%";
    if (report.plan.moves.empty())
        return text + (is_even(report, report.before)
                           ? "Nothing to do: the hosts differ by no more than " + limit + ".\n"
                           : "Uneven by more than " + limit +
                                 ", and no live move that the rules allow makes it better.\n");
    Table moves({{"DOMAIN"}, {"FROM"}, {"TO"}, {"MEMORY", true}, {"REASON"}});
    for (const PlannedMove& move : report.plan.moves)
        moves.add({move.domain, move.from, move.to, render_bytes(move.memory), move.reason});
    text += moves.render();
    text += "The hosts differ by " + percent(memory_spread(report.before)) +
            " of memory now, and by " + percent(memory_spread(report.after)) + " then.\n";
    return text;
}

Json balance_json(const BalanceReport& report) {
    Json hosts = Json::array();
    for (std::size_t i = 0; i < report.before.size(); ++i) {
        const HostShare& now = report.before[i];
        const HostShare& then = report.after[i];
        hosts.push(Json::object()
                       .set("host", now.host)
                       .set("memory_bytes", now.memory.count)
                       .set("used_bytes", now.memory_used.count)
                       .set("used_bytes_then", then.memory_used.count)
                       .set("cpus", now.cpus)
                       .set("vcpus", now.vcpus)
                       .set("vcpus_then", then.vcpus)
                       .set("in_maintenance", now.closed));
    }
    Json moves = Json::array();
    for (const PlannedMove& move : report.plan.moves)
        moves.push(Json::object()
                       .set("domain", move.domain)
                       .set("host", move.from)
                       .set("target", move.to)
                       .set("memory_bytes", move.memory.count)
                       .set("reason", move.reason));
    Json unread = Json::array();
    for (const std::string& host : report.unread) unread.push(Json(host));
    return Json::object()
        .set("objection", report.objection.empty() ? Json() : Json(report.objection))
        .set("even", is_even(report, report.before))
        .set("spread", spread_json(report.before))
        .set("spread_then", spread_json(report.after))
        .set("hosts", std::move(hosts))
        .set("unread", std::move(unread))
        .set("moves", std::move(moves));
}

}  // namespace domkeeper
