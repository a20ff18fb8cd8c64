// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report_care.hpp"

#include "lib/core/text.hpp"
#include "lib/core/units.hpp"

namespace domkeeper {

std::string render_subject(const Incident& incident) {
    const std::string host = printable(incident.host, 64);
    if (incident.domain.empty()) return host;
    if (incident.domain == "*") return "domains of " + host;
    return printable(incident.domain, 64) + (host.empty() ? "" : " on " + host);
}

std::string render_hold(const DomainHold& hold, TimePoint now) {
    std::string text =
        printable(hold.domain, 64) + " is left alone since " + render_time(hold.since);
    if (!hold.who.empty()) text += " by " + printable(hold.who, 64);
    if (hold.until)
        text +=
            ", until " + render_time(*hold.until) +
            (now < *hold.until
                 ? " (for another " +
                       render_duration(std::chrono::duration_cast<Duration>(*hold.until - now)) +
                       ")"
                 : " (over)");
    return text + (hold.reason.empty() ? "" : ": " + printable(hold.reason, 512));
}

Json holds_json(const std::vector<DomainHold>& holds, TimePoint now) {
    Json list = Json::array();
    for (const DomainHold& hold : holds) {
        if (hold.until && now >= *hold.until) continue;
        Json json = Json::object();
        json.set("domain", hold.domain).set("since", Json::time(hold.since));
        json.set("until", hold.until ? Json::time(*hold.until) : Json());
        json.set("who", hold.who).set("reason", hold.reason);
        list.push(std::move(json));
    }
    return list;
}

}  // namespace domkeeper
