// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report_plan.hpp"

#include "lib/core/table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string action_of(const JournalEntry& step) {
    if (step.step == StepKind::MakeRoom) return "stop";
    if (step.kind == EntryKind::Intent) return "fence";
    return step.kind == EntryKind::Outcome ? "runs" : "start";
}

}  // namespace

std::string render_plan(const DryRunPlan& plan) {
    std::string text;
    for (const auto& [host, objection] : plan.objections)
        text += "Now nothing would be done for " + host + ": " + printable(objection, 1024) + "\n";
    Table steps({{"STEP"}, {"HOST"}, {"DOMAIN"}, {"TARGET"}, {"REASON"}});
    Table refusals({{"HOST"}, {"DOMAIN"}, {"WHY NOT"}});
    for (const JournalEntry& step : plan.steps) {
        if (step.kind == EntryKind::Refusal)
            refusals.add({step.host, step.domain, step.text});
        else
            steps.add({action_of(step), step.host, step.domain, step.target, step.text});
    }
    if (!steps.empty()) text += steps.render();
    if (!refusals.empty()) text += "Refused:\n" + refusals.render(2);
    return text.empty() ? "Nothing would be done.\n" : text;
}

Json plan_json(const DryRunPlan& plan) {
    Json objections = Json::object();
    for (const auto& [host, objection] : plan.objections) objections.set(host, objection);
    Json steps = Json::array();
    Json refusals = Json::array();
    for (const JournalEntry& step : plan.steps) {
        Json row = Json::object();
        row.set("host", step.host).set("domain", step.domain);
        if (step.kind == EntryKind::Refusal) {
            refusals.push(row.set("reason", step.text));
        } else {
            row.set("step", action_of(step)).set("target", step.target);
            steps.push(row.set("reason", step.text));
        }
    }
    return Json::object()
        .set("objections", std::move(objections))
        .set("steps", std::move(steps))
        .set("refusals", std::move(refusals));
}

}  // namespace domkeeper
