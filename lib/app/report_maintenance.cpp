// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report_maintenance.hpp"

#include "lib/core/table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

Json words_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Json span_or_null(const std::optional<Duration>& span) {
    return span ? Json::seconds(*span) : Json();
}

}  // namespace

std::string render_mark(const Maintenance& mark) {
    std::string text(maintenance_phase_name(mark.phase));
    if (mark.fenced) text = "fenced, " + text;
    if (mark.stop) text += ", to be stopped";
    text += " since " + render_time(mark.since);
    if (!mark.who.empty()) text += " by " + printable(mark.who, 64);
    if (!mark.reason.empty()) text += ": " + printable(mark.reason, 512);
    return text;
}

Json marks_json(const std::vector<Maintenance>& marks) {
    Json list = Json::array();
    for (const Maintenance& mark : marks) {
        Json away = Json::array();
        for (const std::string& domain : mark.domains) away.push(Json(domain));
        Json json = Json::object();
        json.set("host", mark.host).set("phase", maintenance_phase_name(mark.phase));
        json.set("fenced", mark.fenced);
        json.set("since", Json::time(mark.since)).set("who", words_or_null(mark.who));
        json.set("reason", words_or_null(mark.reason)).set("away", std::move(away));
        list.push(std::move(json));
    }
    return list;
}

std::string render_progress(const MoveProgress& move) {
    std::string text = printable(move.domain, 64) + " " + move.host + " -> " + move.target + ": ";
    text += render_bytes(move.done) + " of " + render_bytes(move.total);
    if (move.rate.count > 0) text += ", " + render_bytes(move.rate) + "/s";
    if (move.dirty_rate.count > 0) text += ", dirties " + render_bytes(move.dirty_rate) + "/s";
    if (move.time_left) text += ", " + render_duration(*move.time_left) + " left";
    if (move.downtime) text += ", will stand still for " + render_duration(*move.downtime);
    return text;
}

Json progress_json(const std::vector<MoveProgress>& moves) {
    Json list = Json::array();
    for (const MoveProgress& move : moves) {
        Json json = Json::object();
        json.set("domain", move.domain).set("host", move.host).set("target", move.target);
        json.set("at", Json::time(move.at)).set("seconds", Json::seconds(move.elapsed));
        json.set("total_bytes", move.total.count).set("done_bytes", move.done.count);
        json.set("left_bytes", move.left.count).set("bytes_per_second", move.rate.count);
        json.set("dirty_bytes_per_second", move.dirty_rate.count);
        json.set("seconds_left", span_or_null(move.time_left));
        json.set("downtime_seconds", span_or_null(move.downtime));
        list.push(std::move(json));
    }
    return list;
}

std::string render_evacuation(const std::string& host, const MaintenancePlan& plan,
                              const std::string& objection) {
    std::string text;
    if (!objection.empty())
        text += "Now nothing would be done for " + host + ": " + printable(objection, 1024) + "\n";
    Table moves({{"DOMAIN"}, {"TARGET"}, {"HOW"}, {"MEMORY", true}, {"REASON"}});
    for (const PlannedMove& move : plan.moves)
        moves.add({move.domain, move.to, std::string(move_way_name(move.way)),
                   render_bytes(move.memory), move.reason});
    if (!moves.empty()) text += moves.render();
    if (plan.moves.empty() && plan.refusals.empty()) text += host + " is empty already.\n";
    if (!plan.refusals.empty()) {
        Table refusals({{"DOMAIN"}, {"WHY NOT"}});
        for (const Refusal& refusal : plan.refusals)
            refusals.add({refusal.domain,
                          std::string(refusal_kind_name(refusal.kind)) + ": " + refusal.text});
        text += "Can't leave:\n" + refusals.render(2);
    }
    for (const Loss& gap : plan.gaps) text += "Without " + host + ": " + explain_loss(gap) + ".\n";
    if (plan.gaps.empty())
        text += "Without " + host + " any one further host could still be lost.\n";
    return text;
}

Json evacuation_json(const std::string& host, const MaintenancePlan& plan,
                     const std::string& objection) {
    Json moves = Json::array();
    for (const PlannedMove& move : plan.moves)
        moves.push(Json::object()
                       .set("domain", move.domain)
                       .set("host", move.from)
                       .set("target", move.to)
                       .set("how", move_way_name(move.way))
                       .set("memory_bytes", move.memory.count)
                       .set("reason", move.reason));
    Json refusals = Json::array();
    for (const Refusal& refusal : plan.refusals)
        refusals.push(Json::object()
                          .set("domain", refusal.domain)
                          .set("kind", refusal_kind_name(refusal.kind))
                          .set("need_bytes", refusal.need ? Json(refusal.need->count) : Json())
                          .set("have_bytes", refusal.have ? Json(refusal.have->count) : Json())
                          .set("reason", refusal.text));
    Json gaps = Json::array();
    for (const Loss& gap : plan.gaps)
        gaps.push(Json::object()
                      .set("host", gap.lost.empty() ? std::string() : gap.lost.front())
                      .set("reason", explain_loss(gap)));
    return Json::object()
        .set("host", host)
        .set("objection", words_or_null(objection))
        .set("moves", std::move(moves))
        .set("refusals", std::move(refusals))
        .set("no_spare_for", std::move(gaps));
}

}  // namespace domkeeper
