// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/report.hpp"

#include <algorithm>

#include "lib/app/report_care.hpp"
#include "lib/app/report_maintenance.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/table.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

Duration between(TimePoint from, TimePoint to) {
    return std::chrono::duration_cast<Duration>(to - from);
}

std::string ago(TimePoint then, TimePoint now) {
    if (then > now) return "in the future";
    return render_duration(between(then, now)) + " ago";
}

std::string or_dash(std::string_view text) {
    return text.empty() ? "-" : std::string(text);
}

std::string plain(std::string_view text) {
    return printable(text, 1024);
}

/// ": reason" or nothing.
std::string because(const std::string& reason) {
    return reason.empty() ? "" : ": " + plain(reason);
}

Json words_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

std::optional<std::string> time_text(const std::optional<TimePoint>& at) {
    if (!at) return std::nullopt;
    return render_time(*at);
}

std::string length_of(const Incident& incident, TimePoint now) {
    const TimePoint end = incident.closed.value_or(now);
    return render_seconds(between(incident.opened, end)) + " s";
}

Json incident_head(const Incident& incident) {
    Json json = Json::object();
    json.set("id", incident.id).set("host", incident.host);
    json.set("domain", words_or_null(incident.domain));
    json.set("state", incident_state_name(incident.state));
    json.set("opened", Json::time(incident.opened)).set("closed", time_text(incident.closed));
    json.set("seconds",
             incident.closed ? Json::seconds(between(incident.opened, *incident.closed)) : Json());
    json.set("summary", incident.summary);
    return json;
}

Json entry_json(const JournalEntry& entry) {
    Json json = Json::object();
    json.set("at", Json::time(entry.at)).set("kind", entry_kind_name(entry.kind));
    json.set("step", words_or_null(std::string(step_kind_name(entry.step))));
    json.set("host", words_or_null(entry.host)).set("domain", words_or_null(entry.domain));
    json.set("target", words_or_null(entry.target));
    json.set("ok", entry.kind == EntryKind::Outcome ? Json(entry.ok) : Json());
    json.set("text", entry.text);
    return json;
}

/// What a person should know of a host at one glance; empty: nothing.
std::string host_note(const StatusFacts& facts, const Host* host, const HostRecord* record) {
    std::vector<std::string> notes;
    if (!host) notes.emplace_back("not in the cluster file");
    if (!record)
        notes.emplace_back("never read");
    else if (facts.now - record->seen > facts.inventory.policy.record_max_age)
        notes.emplace_back("too long ago to trust");
    if (host && host->fence.empty()) notes.emplace_back("no fence device");
    for (const Maintenance& mark : facts.marks)
        if (host && mark.host == host->name)
            notes.push_back("in maintenance: " + std::string(maintenance_phase_name(mark.phase)));
    return join(notes, ", ");
}

std::size_t active_on(const ClusterRecord& record, const std::string& host) {
    return static_cast<std::size_t>(std::count_if(
        record.domains.begin(), record.domains.end(),
        [&](const auto& domain) { return domain.host == host && is_active(domain.state); }));
}

/// Hosts of the cluster file in its order, then what else the record knows.
std::vector<std::string> host_names(const StatusFacts& facts) {
    std::vector<std::string> names;
    for (const Host& host : facts.inventory.hosts) names.push_back(host.name);
    for (const HostRecord& record : facts.record.hosts)
        if (!facts.inventory.find_host(record.host)) names.push_back(record.host);
    return names;
}

/// The same for domains; of strangers the active ones alone.
std::vector<std::string> domain_names(const StatusFacts& facts) {
    std::vector<std::string> names;
    for (const Domain& domain : facts.inventory.domains) names.push_back(domain.name);
    for (const DomainRecord& record : facts.record.domains)
        if (!facts.inventory.find_domain(record.name) && is_active(record.state))
            names.push_back(record.name);
    return names;
}

std::string domain_note(const Domain* domain, const DomainRecord* record) {
    std::vector<std::string> notes;
    if (!domain) notes.emplace_back("not in the cluster file");
    if (!record) notes.emplace_back("never seen");
    if (record && record->xml.empty()) notes.emplace_back("its definition is not known");
    if (domain && record && domain->expect == Expected::Running && !is_active(record->state))
        notes.emplace_back("should run");
    return join(notes, ", ");
}

std::string render_hosts(const StatusFacts& facts) {
    Table table(
        {{"HOST"}, {"LAST READ"}, {"MEMORY", true}, {"FREE", true}, {"ACTIVE", true}, {"NOTE"}});
    for (const std::string& name : host_names(facts)) {
        const HostRecord* record = facts.record.find_host(name);
        table.add({name, record ? ago(record->seen, facts.now) : "-",
                   record ? render_bytes(record->memory_total) : "-",
                   record && record->memory_free ? render_bytes(*record->memory_free) : "-",
                   record ? std::to_string(active_on(facts.record, name)) : "-",
                   host_note(facts, facts.inventory.find_host(name), record)});
    }
    return table.render(2);
}

std::string render_domains(const StatusFacts& facts) {
    Table table({{"DOMAIN"},
                 {"HOST"},
                 {"STATE"},
                 {"LAST SEEN"},
                 {"MEMORY", true},
                 {"PRIORITY", true},
                 {"RESTART"},
                 {"NOTE"}});
    for (const std::string& name : domain_names(facts)) {
        const Domain* domain = facts.inventory.find_domain(name);
        const DomainRecord* record = facts.record.find_domain(name);
        table.add({name, record ? or_dash(record->host) : "-",
                   record ? std::string(domain_state_name(record->state)) : "-",
                   record ? ago(record->seen, facts.now) : "-",
                   record ? render_bytes(record->memory) : "-",
                   domain ? std::to_string(domain->priority) : "-",
                   domain ? std::string(restart_policy_name(domain->restart)) : "-",
                   domain_note(domain, record)});
    }
    return table.empty() ? "  none\n" : table.render(2);
}

std::string render_worker(const StatusFacts& facts) {
    std::string out = facts.worker_alive ? "at work" : "none";
    if (!facts.pending.empty())
        out += ", " + counted(facts.pending.size(), "report") +
               (facts.pending.size() == 1 ? " waits" : " wait");
    if (!facts.worker_alive && (!facts.unfinished.empty() || !facts.pending.empty()))
        out += "; the next event for a host, or domkeeper recover, finishes what is left";
    return out;
}

Json hosts_json(const StatusFacts& facts) {
    Json hosts = Json::array();
    for (const std::string& name : host_names(facts)) {
        const HostRecord* record = facts.record.find_host(name);
        const Host* host = facts.inventory.find_host(name);
        Json json = Json::object();
        json.set("name", name).set("listed", host != nullptr);
        json.set("can_be_fenced", host != nullptr && !host->fence.empty());
        json.set("seen", record ? Json::time(record->seen) : Json());
        json.set("age_seconds", record ? Json::seconds(between(record->seen, facts.now)) : Json());
        json.set("trusted", record != nullptr &&
                                facts.now - record->seen <= facts.inventory.policy.record_max_age);
        json.set("memory_bytes", record ? Json(record->memory_total.count) : Json());
        json.set("memory_free_bytes",
                 record && record->memory_free ? Json(record->memory_free->count) : Json());
        json.set("hypervisor", record ? words_or_null(record->hypervisor) : Json());
        json.set("active_domains",
                 record ? Json(static_cast<std::int64_t>(active_on(facts.record, name))) : Json());
        hosts.push(std::move(json));
    }
    return hosts;
}

Json domains_json(const StatusFacts& facts) {
    Json domains = Json::array();
    for (const std::string& name : domain_names(facts)) {
        const Domain* domain = facts.inventory.find_domain(name);
        const DomainRecord* record = facts.record.find_domain(name);
        Json json = Json::object();
        json.set("name", name).set("listed", domain != nullptr);
        json.set("uuid", record ? words_or_null(record->uuid) : Json());
        json.set("host", record ? words_or_null(record->host) : Json());
        json.set("state", record ? Json(domain_state_name(record->state)) : Json());
        json.set("seen", record ? Json::time(record->seen) : Json());
        json.set("memory_bytes", record ? Json(record->memory.count) : Json());
        json.set("definition_known", record != nullptr && !record->xml.empty());
        json.set("priority", domain ? Json(domain->priority) : Json());
        json.set("restart", domain ? Json(restart_policy_name(domain->restart)) : Json());
        json.set("expect", domain ? Json(expected_name(domain->expect)) : Json());
        domains.push(std::move(json));
    }
    return domains;
}

Json problems_json(const std::vector<ConfigProblem>& problems) {
    Json list = Json::array();
    for (const ConfigProblem& problem : problems) {
        Json json = Json::object();
        json.set("file", problem.file);
        json.set("line", problem.line > 0 ? Json(problem.line) : Json());
        json.set("column", problem.line > 0 ? Json(problem.column) : Json());
        json.set("key", words_or_null(problem.key)).set("text", problem.text);
        list.push(std::move(json));
    }
    return list;
}

}  // namespace

std::string render_status(const StatusFacts& facts) {
    std::string out = "Cluster:   " + or_dash(plain(facts.inventory.name)) + "\n";
    out += "Automatic: " + render_arming(facts.arming, facts.now) + "\n";
    out += "Worker:    " + render_worker(facts) + "\n";
    for (const Maintenance& mark : facts.marks)
        out += "In maintenance: " + plain(mark.host) + ", " + render_mark(mark) + "\n";
    for (const MoveProgress& move : facts.moves) out += "  " + render_progress(move) + "\n";
    for (const DomainHold& hold : facts.holds)
        if (!hold.until || facts.now < *hold.until)
            out += "On hold:   " + render_hold(hold, facts.now) + "\n";
    if (!facts.unfinished.empty())
        out += "\nIncidents under way\n" + render_incidents(facts.unfinished, facts.now);
    out += "\nLast incidents\n" + render_incidents(facts.latest, facts.now);
    if (!facts.loose.empty()) {
        out += "\nLast reports without an incident\n";
        Table table({{"TIME"}, {"HOST"}, {"WHAT"}});
        for (const JournalEntry& entry : facts.loose)
            table.add({render_time(entry.at),
                       or_dash(entry.domain.empty() ? entry.host : entry.domain), entry.text});
        out += table.render(2);
    }
    return out + "\nHosts\n" + render_hosts(facts) + "\nDomains\n" + render_domains(facts);
}

Json status_json(const StatusFacts& facts) {
    Json json = Json::object();
    json.set("cluster", facts.inventory.name).set("now", Json::time(facts.now));
    json.set("arming", arming_json(facts.arming, facts.now));
    json.set("worker_alive", facts.worker_alive);
    json.set("pending_reports", static_cast<std::int64_t>(facts.pending.size()));
    json.set("unfinished", incidents_json(facts.unfinished));
    json.set("latest", incidents_json(facts.latest));
    Json loose = Json::array();
    for (const JournalEntry& entry : facts.loose) loose.push(entry_json(entry));
    json.set("without_incident", std::move(loose));
    json.set("maintenance", marks_json(facts.marks)).set("moves", progress_json(facts.moves));
    json.set("holds", holds_json(facts.holds, facts.now));
    json.set("hosts", hosts_json(facts)).set("domains", domains_json(facts));
    return json;
}

std::string render_incidents(const std::vector<Incident>& incidents, TimePoint now) {
    if (incidents.empty()) return "  none\n";
    Table table({{"N", true}, {"HOST"}, {"OPENED"}, {"TOOK", true}, {"STATE"}, {"SUMMARY"}});
    for (const Incident& incident : incidents)
        table.add({std::to_string(incident.id), render_subject(incident),
                   render_time(incident.opened), length_of(incident, now),
                   std::string(incident_state_name(incident.state)), incident.summary});
    return table.render(2);
}

Json incidents_json(const std::vector<Incident>& incidents) {
    Json list = Json::array();
    for (const Incident& incident : incidents) list.push(incident_head(incident));
    return list;
}

std::string render_line(const Incident& incident, const JournalEntry& entry) {
    std::string line = "  +" + render_seconds(between(incident.opened, entry.at)) + " " +
                       std::string(entry_kind_name(entry.kind)) + " " +
                       std::string(step_kind_name(entry.step));
    if (!entry.domain.empty()) line += " " + entry.domain;
    if (!entry.target.empty()) line += " -> " + entry.target;
    return printable(line + ": " + entry.text, 1024);
}

std::string render_incident(const Incident& incident, const std::vector<JournalEntry>& entries,
                            TimePoint now) {
    std::string out = "Incident " + std::to_string(incident.id) + ": " +
                      (incident.domain.empty() ? "host " : "") + render_subject(incident) + ", " +
                      std::string(incident_state_name(incident.state)) +
                      (incident.closed ? " after " : " for ") + length_of(incident, now) +
                      because(incident.summary) + "\n";
    out += "Opened " + render_time(incident.opened);
    if (incident.closed) out += ", closed " + render_time(*incident.closed);
    out += "\n\n";
    Table table(
        {{"SECONDS", true}, {"WHAT"}, {"STEP"}, {"DOMAIN"}, {"TARGET"}, {"RESULT"}, {"TEXT"}});
    for (const JournalEntry& entry : entries) {
        const std::string result = entry.kind != EntryKind::Outcome ? ""
                                   : entry.ok                       ? "ok"
                                                                    : "failed";
        table.add({render_seconds(between(incident.opened, entry.at)),
                   std::string(entry_kind_name(entry.kind)),
                   std::string(step_kind_name(entry.step)), entry.domain, entry.target, result,
                   entry.text});
    }
    return out + (table.empty() ? "  nothing was written\n" : table.render(2));
}

Json incident_json(const Incident& incident, const std::vector<JournalEntry>& entries) {
    Json json = incident_head(incident);
    Json timeline = Json::array();
    for (const JournalEntry& entry : entries) {
        Json line = Json::object();
        line.set("seconds", Json::seconds(between(incident.opened, entry.at)));
        timeline.push(line.merge(entry_json(entry)));
    }
    return json.set("timeline", std::move(timeline));
}

std::string render_config(const std::string& path, const LoadedConfig& config) {
    std::string out;
    for (const ConfigProblem& problem : config.problems)
        out += "mistake: " + render_problem(problem) + "\n";
    for (const ConfigProblem& warning : config.warnings)
        out += "warning: " + render_problem(warning) + "\n";
    out += plain(path) + ": ";
    if (config.problems.empty()) {
        const Inventory& inventory = config.inventory;
        out += counted(inventory.hosts.size(), "host") + ", " +
               counted(inventory.devices.size(), "device") + ", " +
               counted(inventory.domains.size(), "domain") + ", no mistake";
    } else {
        out += counted(config.problems.size(), "mistake");
    }
    if (!config.warnings.empty()) out += ", " + counted(config.warnings.size(), "warning");
    return out + "\n";
}

Json config_json(const std::string& path, const LoadedConfig& config) {
    Json json = Json::object();
    json.set("file", path).set("ok", config.problems.empty());
    json.set("problems", problems_json(config.problems));
    json.set("warnings", problems_json(config.warnings));
    return json;
}

std::string render_arming(const Arming& arming, TimePoint now) {
    const std::string by = arming.who.empty() ? "" : " by " + plain(arming.who);
    if (!arming.no_seat.empty()) return "NOT HERE: " + plain(arming.no_seat);
    const std::string since = render_time(arming.since) + by;
    if (arming.armed) return "armed since " + since + because(arming.reason);
    if (arming.armed_at(now))
        return "armed again since " + render_time(*arming.until) + ", the end of the disarming" +
               by + because(arming.reason);
    if (arming.until)
        return "DISARMED until " + render_time(*arming.until) + " (for another " +
               render_duration(between(now, *arming.until)) + ")" + by + because(arming.reason);
    if (arming.who.empty()) return "DISARMED: it was never armed; domkeeper arm does it";
    return "DISARMED since " + since + ", until somebody arms it" + because(arming.reason);
}

Json arming_json(const Arming& arming, TimePoint now) {
    Json json = Json::object();
    json.set("armed", arming.armed_at(now)).set("until", time_text(arming.until));
    json.set("since", arming.who.empty() ? Json() : Json::time(arming.since));
    json.set("who", words_or_null(arming.who)).set("reason", words_or_null(arming.reason));
    return json;
}

}  // namespace domkeeper
