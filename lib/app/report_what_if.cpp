// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report_what_if.hpp"

#include <algorithm>

#include "lib/core/table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string lost_text(const Loss& loss) {
    return join(loss.lost, " and ");
}

const Stop& find_stop(const Loss& loss, const std::string& domain) {
    return *std::find_if(loss.stops.begin(), loss.stops.end(),
                         [&](const Stop& stop) { return stop.for_domain == domain; });
}

void add_moves(Table& moves, Table& refusals, const Loss& loss, const std::string& why) {
    for (const Placement& placement : loss.plan.placements)
        moves.add({why, placement.domain, placement.host, placement.reason});
    for (const Refusal& refusal : loss.plan.refusals) {
        std::vector<std::string> victims;
        for (const Stop& stop : loss.stops)
            if (stop.for_domain == refusal.domain) victims.push_back(stop.victim.domain);
        if (victims.empty())
            refusals.add({why, refusal.domain, refusal.text});
        else
            moves.add({why, refusal.domain, find_stop(loss, refusal.domain).victim.host,
                       "after " + join(victims, ", ") + (victims.size() == 1 ? " is" : " are") +
                           " stopped for it: " + refusal.text});
    }
}

Json loss_json(const Loss& loss) {
    Json lost = Json::array();
    for (const std::string& host : loss.lost) lost.push(host);
    Json placements = Json::array();
    for (const Placement& placement : loss.plan.placements)
        placements.push(Json::object()
                            .set("domain", placement.domain)
                            .set("host", placement.host)
                            .set("memory_bytes", placement.memory.count));
    Json refusals = Json::array();
    for (const Refusal& refusal : loss.plan.refusals) {
        Json row = Json::object();
        row.set("domain", refusal.domain).set("kind", refusal_kind_name(refusal.kind));
        if (refusal.need) row.set("need_bytes", refusal.need->count);
        if (refusal.have) row.set("have_bytes", refusal.have->count);
        refusals.push(row.set("reason", refusal.text));
    }
    Json stops = Json::array();
    for (const Stop& stop : loss.stops)
        stops.push(Json::object()
                       .set("domain", stop.victim.domain)
                       .set("host", stop.victim.host)
                       .set("for", stop.for_domain));
    return Json::object()
        .set("lost", std::move(lost))
        .set("placements", std::move(placements))
        .set("refusals", std::move(refusals))
        .set("stops", std::move(stops));
}

/// One line that answers the question.
std::string verdict(const WhatIfAnswer& answer) {
    if (answer.change.first_refused() != nullptr) return "No: not all would fit.\n";
    if (answer.survival.worst) return "No: " + explain_loss(*answer.survival.worst) + ".\n";
    for (const Loss& loss : answer.losses)
        if (loss.first_refused() != nullptr) return "No: " + explain_loss(loss) + ".\n";
    if (answer.survival.cases == 0)
        return answer.losses.empty() ? "Nothing can be lost.\n"
                                     : "Yes: every domain would find its place.\n";
    return "Yes: any " + counted(answer.survival.hosts, "host") + " can be lost" +
           (answer.survival.complete ? "" : ", as far as was tried") + ".\n";
}

}  // namespace

std::string render_what_if(const WhatIfAnswer& answer,
                           const std::map<std::string, std::string>& silent) {
    std::string text = verdict(answer);
    for (const auto& [host, why] : silent)
        text += host + " does not answer and takes nothing; its domains are as last recorded (" +
                printable(why) + ")\n";
    Table rooms({{"HOST"}, {"ROOM", true}, {"DOMAINS", true}});
    for (const HostLoad& load : answer.loads)
        rooms.add({load.host,
                   load.open ? (load.free < Bytes{0} ? "-" + render_bytes(Bytes{0} - load.free)
                                                     : render_bytes(load.free))
                             : "?",
                   std::to_string(load.domains.size())});
    text += rooms.render();
    Table moves({{"WHEN"}, {"DOMAIN"}, {"GOES TO"}, {"REASON"}});
    Table refusals({{"WHEN"}, {"DOMAIN"}, {"WHY NOT"}});
    add_moves(moves, refusals, answer.change, "changed");
    for (const Loss& loss : answer.losses)
        add_moves(moves, refusals, loss, lost_text(loss) + " lost");
    if (!moves.empty()) text += moves.render();
    if (!refusals.empty()) text += "Would stay down:\n" + refusals.render(2);
    return text;
}

Json what_if_json(const WhatIfAnswer& answer, const std::map<std::string, std::string>& silent) {
    Json hosts = Json::array();
    for (const HostLoad& load : answer.loads) {
        Json row = Json::object();
        row.set("host", load.host).set("answers", load.open);
        if (load.open) row.set("room_bytes", load.free.count);
        const auto why = silent.find(load.host);
        if (why != silent.end()) row.set("trouble", printable(why->second));
        hosts.push(row.set("domains", static_cast<int>(load.domains.size())));
    }
    Json losses = Json::array();
    for (const Loss& loss : answer.losses) losses.push(loss_json(loss));
    Json survival = Json::object();
    survival.set("hosts", static_cast<int>(answer.survival.hosts))
        .set("cases", static_cast<int>(answer.survival.cases))
        .set("failing", static_cast<int>(answer.survival.failing))
        .set("complete", answer.survival.complete);
    if (answer.survival.worst) survival.set("worst", explain_loss(*answer.survival.worst));
    return Json::object()
        .set("all_fit", answer.all_fit())
        .set("hosts", std::move(hosts))
        .set("change", loss_json(answer.change))
        .set("losses", std::move(losses))
        .set("survival", std::move(survival));
}

}  // namespace domkeeper
