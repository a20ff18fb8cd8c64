// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "lib/core/survival.hpp"
#include "lib/core/text.hpp"
#include "lib/core/units.hpp"
#include "plugins/domu.hpp"
#include "plugins/words.hpp"

namespace domkeeper {
namespace {

/// One domain where it was seen.
struct Sighting {
    const HostFacts* host;
    const DomainView* domain;
};

/// One end of a migration stands still while the other one runs.
bool is_waiting_end(const DomainView& domain) {
    return domain.state == DomainState::Paused &&
           (domain.reason == "migration" || domain.reason == "post-copy migration" ||
            domain.reason == "starting up");
}

template <typename Match>
std::vector<Sighting> sightings(const std::vector<HostFacts>& hosts, const Match& match) {
    std::vector<Sighting> found;
    for (const HostFacts& host : hosts) {
        if (!host.view) continue;
        for (const DomainView& domain : host.view->domains)
            if (match(domain)) found.push_back({&host, &domain});
    }
    return found;
}

/// Live ones only; waiting ends of a migration only where there is nothing else.
std::vector<Sighting> live_sightings(const std::vector<HostFacts>& hosts, const std::string& name) {
    auto live = sightings(hosts, [&](const DomainView& d) { return d.name == name && is_live(d); });
    auto running = live;
    std::erase_if(running, [](const Sighting& s) { return is_waiting_end(*s.domain); });
    return running.empty() ? live : running;
}

std::string hosts_text(const std::vector<Sighting>& seen) {
    std::vector<std::string> names;
    for (const Sighting& s : seen) names.push_back(s.host->name);
    return join(names, " and ");
}

/// In maintenance, and by the record there is nothing on it that would be missed.
bool may_be_down(const Maintenance& mark, const ClusterRecord& record) {
    return mark.phase == MaintenancePhase::Held && !mark.fenced &&
           std::none_of(record.domains.begin(), record.domains.end(), [&](const auto& domain) {
               return domain.host == mark.host && is_active(domain.state);
           });
}

CheckResult judge_host(const HostFacts& host, const ClusterFacts& facts, const Policy& policy) {
    const Maintenance* const mark = find_mark(facts.control.marks, host.name);
    const std::string since =
        mark == nullptr
            ? ""
            : (mark->fenced ? ", out of use since it was fenced at " : ", in maintenance since ") +
                  render_time(mark->since);
    if (!host.view && mark != nullptr && may_be_down(*mark, facts.record))
        return part(Status::Ok, host.name + ": does not answer" + since);
    if (host.view) {
        const auto live = static_cast<std::size_t>(
            std::count_if(host.view->domains.begin(), host.view->domains.end(),
                          [](const auto& d) { return is_live(d); }));
        // It may take a while until the monitor and the worker have seen it, or need somebody.
        const bool waits = mark != nullptr && mark->fenced && !mark->has_work();
        return part(waits ? Status::Warning : Status::Ok,
                    host.name + ": " + counted(live, "domain") + " active, answered in " +
                        seconds_text(host.view->took) + since +
                        (waits ? ": `domkeeper return " + host.name + "` takes it in" : ""));
    }
    CheckResult result =
        part(Status::Unknown, host.name + ": " + printable(host.trouble) +
                                  (mark != nullptr && mark->fenced ? since : std::string()));
    const HostRecord* const known = facts.record.find_host(host.name);
    if (known == nullptr) {
        result.parts.push_back(part(Status::Warning,
                                    "it was never read: should it die now, nobody "
                                    "would know what ran there"));
    } else {
        const auto age = std::chrono::duration_cast<Duration>(facts.now - known->seen);
        if (age > policy.record_max_age)
            result.parts.push_back(
                part(Status::Warning, "its record is " + render_duration(age) +
                                          " old, over the limit of " +
                                          render_duration(policy.record_max_age)));
        else
            result.parts.push_back(part(Status::Ok, "last read " + render_duration(age) + " ago"));
    }
    return result;
}

CheckResult judge_nowhere(const Domain& wanted, const ClusterFacts& facts) {
    const auto defined =
        sightings(facts.hosts, [&](const DomainView& d) { return d.name == wanted.name; });
    std::vector<std::string> where;
    for (const Sighting& s : defined) {
        std::string text(domain_state_name(s.domain->state));
        if (!s.domain->reason.empty()) text += " (" + printable(s.domain->reason, 64) + ")";
        where.push_back(text + " on " + s.host->name);
    }
    const std::string found = where.empty() ? "" : ", " + join(where, ", ");
    if (wanted.expect != Expected::Running)
        return part(Status::Ok, wanted.name + ": runs nowhere" + found);
    std::vector<std::string> unseen;
    for (const HostFacts& host : facts.hosts)
        if (!host.view) unseen.push_back(host.name);
    if (unseen.empty()) return part(Status::Critical, wanted.name + ": runs nowhere" + found);
    const DomainRecord* const known = facts.record.find_domain(wanted.name);
    const bool there = known != nullptr && is_active(known->state) &&
                       std::find(unseen.begin(), unseen.end(), known->host) != unseen.end();
    if (there)
        return part(Status::Unknown, wanted.name + ": last seen on " + known->host +
                                         ", which does not answer" + found);
    return part(Status::Unknown, wanted.name + ": not seen, and " + join(unseen, ", ") +
                                     (unseen.size() == 1 ? " does" : " do") + " not answer" +
                                     found);
}

CheckResult judge_wanted(const Inventory& inventory, const Domain& wanted,
                         const ClusterFacts& facts) {
    const std::vector<Sighting> live = live_sightings(facts.hosts, wanted.name);
    CheckResult result;
    if (live.size() > 1) {
        const bool same = std::all_of(live.begin(), live.end(), [&](const Sighting& s) {
            return s.domain->uuid == live.front().domain->uuid;
        });
        result =
            part(Status::Critical, wanted.name + ": active on " + hosts_text(live) + " at once" +
                                       (same ? "" : ", as different domains of that name"));
    } else if (live.empty()) {
        result = judge_nowhere(wanted, facts);
    } else {
        const std::string& host = live.front().host->name;
        result = judge_domain(*live.front().domain, wanted.expect);
        result.summary += " on " + host;
        if (!inventory.may_run(wanted, host))
            result.parts.push_back(part(Status::Warning, wanted.name + ": may not run on " + host));
        const DomainRecord* const known = facts.record.find_domain(wanted.name);
        const auto trouble = facts.definition_troubles.find(wanted.name);
        if (trouble != facts.definition_troubles.end()) {
            const bool kept = known != nullptr && !known->xml.empty();
            result.parts.push_back(
                part(Status::Warning, wanted.name + ": its definition can't be read" +
                                          (kept ? " (an older one is recorded): " : ": ") +
                                          printable(trouble->second)));
        }
        if (facts.changed_definitions.count(wanted.name) != 0)
            result.parts.push_back(part(
                Status::Warning, wanted.name + ": its definition on " + host +
                                     " differs from the recorded one" +
                                     (facts.record_trouble.empty() ? ", which was replaced" : "")));
    }
    for (const Sighting& s :
         sightings(facts.hosts, [&](const DomainView& d) { return d.name == wanted.name; }))
        if (s.domain->autostart.value_or(false))
            result.parts.push_back(
                part(Status::Warning,
                     wanted.name + ": autostart is on at " + s.host->name +
                         ", which would start it a second time when that host returns"));
    return result;
}

void judge_strangers(const Inventory& inventory, const ClusterFacts& facts,
                     std::vector<CheckResult>& parts) {
    const auto strangers = sightings(facts.hosts, [&](const DomainView& d) {
        return is_live(d) && inventory.find_domain(d.name) == nullptr;
    });
    std::map<std::string, std::vector<Sighting>> by_uuid;
    std::vector<std::string> names;
    for (const Sighting& s : strangers) {
        if (!is_waiting_end(*s.domain)) by_uuid[s.domain->uuid].push_back(s);
        names.push_back(printable(s.domain->name, 64) + " on " + s.host->name);
    }
    for (const auto& [uuid, seen] : by_uuid)
        if (seen.size() > 1)
            parts.push_back(part(Status::Critical, printable(seen.front().domain->name, 64) +
                                                       ": active on " + hosts_text(seen) +
                                                       " at once (not in the cluster file)"));
    if (!names.empty())
        parts.push_back(part(Status::Ok, "not in the cluster file: " + join(names, ", ")));
}

/// A domain moves live from an older hypervisor to a newer one at best, so that hosts of different
/// versions are worth a word as long as it lasts.
void judge_versions(const ClusterFacts& facts, std::vector<CheckResult>& parts) {
    std::map<std::string, std::vector<std::string>> hosts;  // by version
    for (const HostFacts& host : facts.hosts) {
        if (!host.view) continue;
        std::string version = printable(host.view->hypervisor, 64);
        if (!host.view->libvirt.empty())
            version += ", libvirt " + printable(host.view->libvirt, 32);
        hosts[version].push_back(host.name);
    }
    if (hosts.size() < 2) return;
    std::vector<std::string> texts;
    for (const auto& [version, names] : hosts)
        texts.push_back(version + " on " + join(names, ", "));
    parts.push_back(part(Status::Warning, "hosts of different versions: " + join(texts, "; ")));
}

CheckResult judge_arming(const Arming& arming, const Policy& policy, TimePoint now) {
    if (!arming.no_seat.empty()) return part(Status::Ok, printable(arming.no_seat));
    if (arming.armed_at(now)) return part(Status::Ok, "armed");
    if (arming.since == TimePoint{} && arming.who.empty())
        return part(Status::Warning,
                    "never armed: no domain would be started elsewhere until `domkeeper arm`");
    std::string text = "disarmed since " + render_time(arming.since);
    if (arming.until) text += " until " + render_time(*arming.until);
    if (!arming.who.empty()) text += " by " + printable(arming.who, 64);
    if (!arming.reason.empty()) text += ": " + printable(arming.reason, 128);
    const auto lasted = std::chrono::duration_cast<Duration>(now - arming.since);
    if (lasted <= policy.disarmed_max) return part(Status::Warning, text);
    return part(Status::Critical, text + ", longer than " + render_duration(policy.disarmed_max) +
                                      " (disarmed_max): `domkeeper arm` ends it");
}

/// The command that brings up a worker for it.
std::string command_for(const ControlFacts& control, const Incident& incident) {
    if (incident.domain == "*") return "care";
    if (!incident.domain.empty()) return "care " + printable(incident.domain, 64);
    const Maintenance* const mark = find_mark(control.marks, incident.host);
    const std::string host = " " + printable(incident.host, 64);
    if (mark == nullptr || mark->incident != incident.id) return "recover" + host;
    if (mark->phase == MaintenancePhase::Balancing) return "balance --execute";
    return (mark->phase == MaintenancePhase::Returning ? "return" : "evacuate") + host;
}

void judge_control(const ControlFacts& control, const Policy& policy, TimePoint now,
                   std::vector<CheckResult>& parts) {
    if (!control.trouble.empty()) {
        parts.push_back(part(Status::Unknown, "journal: " + printable(control.trouble)));
        return;
    }
    parts.push_back(judge_arming(control.arming, policy, now));
    for (const Incident& incident : control.unfinished) {
        const std::string host = printable(incident.host, 64);
        const std::string domain = incident.domain == "*" ? "domains" : incident.domain;
        const std::string what = "incident " + std::to_string(incident.id) + " of " +
                                 (domain.empty() ? "" : printable(domain, 64) + " on ") + host;
        if (control.worker_lives)
            parts.push_back(part(Status::Warning, what + " is being worked on"));
        else
            parts.push_back(
                part(Status::Critical, what + " is unfinished and no worker lives: `domkeeper " +
                                           command_for(control, incident) + "` finishes it"));
    }
}

/// Rules of the cluster file that are broken at the moment: domains of one apart group on one
/// host, of one together group on several, a host that does not offer what its domain needs.
void judge_rules(const Inventory& inventory, const ClusterFacts& facts,
                 std::vector<CheckResult>& parts) {
    using Names = std::vector<std::string>;
    std::map<std::pair<std::string, std::string>, Names> sharing;   // by group, host
    std::map<std::string, std::map<std::string, Names>> scattered;  // by group, host
    for (const Domain& domain : inventory.domains)
        for (const Sighting& seen : live_sightings(facts.hosts, domain.name)) {
            const std::string& host = seen.host->name;
            for (const std::string& group : domain.apart)
                sharing[{group, host}].push_back(domain.name);
            for (const std::string& group : domain.together)
                scattered[group][host].push_back(domain.name);
            const Host* const entry = inventory.find_host(host);
            if (entry == nullptr) continue;
            const Labels offers = all_offers(entry->offers, facts.record.offers_of(host));
            if (const std::string* need = unmet_need(domain.needs, offers))
                parts.push_back(part(Status::Warning, domain.name + " needs " + *need + ", which " +
                                                          host + " does not offer"));
        }
    for (const auto& [where, names] : sharing)
        if (names.size() > 1)
            parts.push_back(part(Status::Warning, join(names, " and ") + " should stay apart (" +
                                                      where.first + ") and share " + where.second));
    for (const auto& [group, hosts] : scattered) {
        if (hosts.size() < 2) continue;
        Names places;
        for (const auto& [host, names] : hosts) places.push_back(join(names, ", ") + " on " + host);
        parts.push_back(
            part(Status::Warning,
                 "group " + group + " should be together and is not: " + join(places, "; ")));
    }
}

/// Of the hosts that answer: whether any `policy.survive` of them can be lost.
void judge_survival(const Inventory& inventory, const ClusterFacts& facts,
                    const PackingSearch& search, std::vector<CheckResult>& parts) {
    std::map<std::string, HostView> views;
    for (const HostFacts& host : facts.hosts)
        if (host.view) views.emplace(host.name, *host.view);
    std::vector<HostLoad> loads = loads_of(inventory, views, facts.record);
    for (HostLoad& load : loads)
        if (find_mark(facts.control.marks, load.host) != nullptr) load.open = false;
    const Survival survival = survive_any(loads, static_cast<std::size_t>(inventory.policy.survive),
                                          {search, inventory.policy.make_room});
    if (survival.cases == 0) return;
    const std::string any = "any " + counted(survival.hosts, "host");
    if (survival.worst)
        parts.push_back(part(Status::Warning, explain_loss(*survival.worst)));
    else
        parts.push_back(part(
            Status::Ok, any + " can be lost" + (survival.complete ? "" : ", as far as was tried")));
}

std::vector<Perfdata> measure(const Inventory& inventory, const ClusterFacts& facts) {
    double answering = 0;
    double age = 0;
    for (const HostFacts& host : facts.hosts) {
        const HostRecord* const known = facts.record.find_host(host.name);
        if (host.view)
            ++answering;
        else if (known != nullptr)
            age = std::max(
                age, seconds_of(std::chrono::duration_cast<Duration>(facts.now - known->seen)));
    }
    double wanted = 0;
    double running = 0;
    for (const Domain& domain : inventory.domains) {
        if (domain.expect != Expected::Running) continue;
        ++wanted;
        const auto live = live_sightings(facts.hosts, domain.name);
        if (!live.empty() && judge_domain(*live.front().domain, domain.expect).status == Status::Ok)
            ++running;
    }
    std::vector<Perfdata> values{
        value_of("hosts_answering", answering), value_of("domains_running", running),
        value_of("record_age", age, "s"), value_of("time", seconds_of(facts.took), "s")};
    values[0].max = static_cast<double>(facts.hosts.size());
    values[1].max = wanted;
    return values;
}

}  // namespace

bool is_live(const DomainView& domain) {
    return is_active(domain.state) && (domain.state != DomainState::Unknown || domain.id);
}

std::map<std::string, std::string> owners_of(const std::vector<HostFacts>& hosts,
                                             const ClusterRecord& record) {
    std::map<std::string, std::string> owners;
    for (const HostFacts& host : hosts) {
        if (!host.view) continue;
        for (const DomainView& domain : host.view->domains) {
            if (!is_live(domain) || owners.count(domain.name) != 0) continue;
            const std::vector<Sighting> live = live_sightings(hosts, domain.name);
            const DomainRecord* const known = record.find_domain(domain.name);
            const auto recorded = std::find_if(live.begin(), live.end(), [&](const Sighting& s) {
                return known != nullptr && s.host->name == known->host;
            });
            owners[domain.name] = (recorded == live.end() ? live.front() : *recorded).host->name;
        }
    }
    return owners;
}

bool needs_second_look(const Inventory& inventory, const std::vector<HostFacts>& hosts,
                       const ClusterRecord& record) {
    const auto answered = [&](const std::string& name) {
        return std::any_of(hosts.begin(), hosts.end(), [&](const HostFacts& host) {
            return host.name == name && host.view.has_value();
        });
    };
    return std::any_of(inventory.domains.begin(), inventory.domains.end(), [&](const Domain& d) {
        const std::size_t live = live_sightings(hosts, d.name).size();
        const DomainRecord* const known = record.find_domain(d.name);
        return live > 1 ||
               (live == 0 && known != nullptr && is_active(known->state) && answered(known->host));
    });
}

CheckResult judge_cluster(const Inventory& inventory, const ClusterFacts& facts,
                          const PackingSearch& search) {
    CheckResult result;
    for (const HostFacts& host : facts.hosts)
        result.parts.push_back(judge_host(host, facts, inventory.policy));
    for (const Domain& domain : inventory.domains)
        result.parts.push_back(judge_wanted(inventory, domain, facts));
    judge_strangers(inventory, facts, result.parts);
    judge_versions(facts, result.parts);
    if (!facts.record_trouble.empty())
        result.parts.push_back(part(Status::Critical, "the record of what ran where is not kept: " +
                                                          printable(facts.record_trouble)));
    judge_control(facts.control, inventory.policy, facts.now, result.parts);
    judge_rules(inventory, facts, result.parts);
    judge_survival(inventory, facts, search, result.parts);
    result.perfdata = measure(inventory, facts);
    result.summary = what_is_wrong(result.parts);
    if (result.summary.empty()) {
        const auto running = static_cast<std::size_t>(result.perfdata[1].value);
        result.summary = counted(facts.hosts.size(), "host answers", "hosts answer") + ", " +
                         counted(running, "domain runs", "domains run") + ", armed";
    }
    return result;
}

}  // namespace domkeeper
