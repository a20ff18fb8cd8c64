// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/domain_event.hpp"

#include "lib/core/domain_care.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/sqlite_journal.hpp"

namespace domkeeper {

Program domain_event_program() {
    return {
        .name = "handle_domu",
        .kind = ProgramKind::Handler,
        .brief = "event handler of a domain: brings it back when it failed",
        .description =
            "The monitor calls it at each change of the state of a service that looks at domains, "
            "such as check_domu. A hard CRITICAL is written to the journal and handed to a worker "
            "in a session of its own, which looks for itself: a domain that crashed is started "
            "again where it was, with growing pauses, after restart_limit times elsewhere, and "
            "then it is given up; one that stands still on an I/O error goes on when its storage "
            "answers; of one that runs, its guest is asked for the sign in `answers`. What "
            "somebody ended or stopped by hand is left alone. A host that can't be asked is no "
            "dead domain. All else is ignored, and the journal says why.\n\n"
            "With --domain it is about that domain, wherever it was seen last; without, about all "
            "domains of --host that should run. Returns within half a second; the monitor never "
            "waits for a restart.",
        .options = {{.name = "host",
                     .letter = 'H',
                     .value_name = "NAME",
                     .help = "Host of the cluster file, whose domains were looked at.",
                     .monitor_macro = "$HOSTNAME$"},
                    {.name = "domain",
                     .letter = 'D',
                     .value_name = "NAME",
                     .help = "Domain of the cluster file. Default: any of the host's."},
                    {.name = "state",
                     .letter = 's',
                     .type = ValueType::Choice,
                     .value_name = "STATE",
                     .help = "State that the monitor sees, of a service or, where a domain is a "
                             "host of the monitor, of that host.",
                     .required = true,
                     .choices = {"OK", "WARNING", "CRITICAL", "UNKNOWN", "UP", "DOWN",
                                 "UNREACHABLE"},
                     .monitor_macro = "$SERVICESTATE$"},
                    {.name = "type",
                     .letter = 'T',
                     .type = ValueType::Choice,
                     .value_name = "TYPE",
                     .help = "Whether the state is confirmed.",
                     .required = true,
                     .choices = {"SOFT", "HARD"},
                     .monitor_macro = "$SERVICESTATETYPE$"},
                    {.name = "attempt",
                     .letter = 'a',
                     .type = ValueType::Integer,
                     .value_name = "N",
                     .help = "Number of the check attempt, for the journal alone.",
                     .monitor_macro = "$SERVICEATTEMPT$"},
                    {.name = "output",
                     .letter = 'o',
                     .value_name = "TEXT",
                     .help = "What the check said, for the journal alone."},
                    {.name = "config",
                     .letter = 'C',
                     .type = ValueType::File,
                     .value_name = "FILE",
                     .help = "Cluster file (default: $DOMKEEPER_CONFIG, else "
                             "/etc/domkeeper/domkeeper.toml)."}},
        .examples = {"handle_domu --host xen1 --state CRITICAL --type HARD\tWhat the monitor runs "
                     "when check_domu finds domains of xen1 that are not well.",
                     "handle_domu --domain web1 --state CRITICAL --type HARD\tWhen a service of "
                     "web1 alone is CRITICAL."}};
}

HostEvent read_domain_event(const Arguments& arguments) {
    HostEvent event;
    event.host = printable(arguments.text("host"), 64);
    event.domain = printable(arguments.text("domain"), 64);
    if (event.host.empty() && event.domain.empty())
        throw UsageError("a domain or a host is missing; such as --domain web1 would be right");
    const std::string state = arguments.text("state");
    event.state = HostState::Up;
    if (state == "CRITICAL" || state == "DOWN") event.state = HostState::DomainFailed;
    if (state == "UNKNOWN" || state == "UNREACHABLE") event.state = HostState::Unreachable;
    event.type = *parse_state_type(arguments.text("type"));
    event.source = "monitor";
    event.output = printable(arguments.text("output"));
    if (const auto attempt = arguments.integer("attempt"))
        event.source += ", attempt " + std::to_string(*attempt);
    return event;
}

Handed hand_over_domain(const Inventory& inventory, const HostEvent& event) {
    const std::string what =
        (event.domain.empty() ? "domains of " + event.host : "domain " + event.domain) + ", " +
        std::string(host_state_name(event.state)) + " " + std::string(state_type_name(event.type));
    const auto objection = report_objection(inventory, event);
    {
        // Closed again before the fork: SQLite's handles must not be shared.
        SqliteJournal journal(inventory.state_dir);
        const Now now = real_now();
        if (objection || event.state != HostState::DomainFailed) {
            CareSituation situation;
            const ClusterRecord record;
            const CareContext context{inventory, record,           {}, {}, {}, {},
                                      {},        journal.arming(), 1,  now};
            const CareStep step = advance_care(situation, DomainReported{event}, context);
            if (!step.entries.empty()) journal.append(step.entries);
            if (!event.domain.empty() && inventory.find_domain(event.domain) == nullptr)
                throw UsageError("no domain '" + event.domain + "' is in the cluster file");
            if (event.domain.empty() && inventory.find_host(event.host) == nullptr)
                throw UsageError("no host '" + event.host + "' is in the cluster file");
            return {false, "ignored: " + what};
        }
        journal.push_event(event, now.wall);
    }
    return {true, "accepted: " + what + "; " + start_worker(inventory)};
}

}  // namespace domkeeper
