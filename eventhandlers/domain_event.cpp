// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/domain_event.hpp"

#include "eventhandlers/event_rows.hpp"
#include "lib/core/domain_care.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

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
        .options = with_event_rows(
            {{.name = "host",
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
              .choices = {"OK", "WARNING", "CRITICAL", "UNKNOWN", "UP", "DOWN", "UNREACHABLE"},
              .monitor_macro = "$SERVICESTATE$"},
             state_type_row("$SERVICESTATETYPE$")},
            "$SERVICEATTEMPT$"),
        .examples = {"handle_domu --host xen1 --state CRITICAL --type HARD\tWhat the monitor runs "
                     "when check_domu finds domains of xen1 that are not well.",
                     "handle_domu --domain web1 --state CRITICAL --type HARD\tWhen a service of "
                     "web1 alone is CRITICAL."}};
}

HostEvent read_domain_event(const Arguments& arguments) {
    HostEvent event = read_event_rows(arguments);
    event.host = printable(arguments.text("host"), 64);
    event.domain = printable(arguments.text("domain"), 64);
    if (event.host.empty() && event.domain.empty())
        throw UsageError("a domain or a host is missing; such as --domain web1 would be right");
    const std::string state = arguments.text("state");
    event.state = HostState::Up;
    if (state == "CRITICAL" || state == "DOWN") event.state = HostState::DomainFailed;
    if (state == "UNKNOWN" || state == "UNREACHABLE") event.state = HostState::Unreachable;
    return event;
}

Handed hand_over_domain(const Inventory& inventory, const HostEvent& event) {
    const std::string about =
        (event.domain.empty() ? "domains of " + event.host : "domain " + event.domain) + ", ";
    return hand_over(
        inventory, event, about, [&](Journal& journal, Now now) -> std::optional<Ignored> {
            if (event.state == HostState::DomainFailed && !report_objection(inventory, event))
                return std::nullopt;
            CareSituation situation;
            const ClusterRecord record;
            const CareContext context{inventory, record,           {}, {}, {}, {},
                                      {},        journal.arming(), 1,  now};
            Ignored ignored{advance_care(situation, DomainReported{event}, context).entries, {}};
            if (!event.domain.empty() && inventory.find_domain(event.domain) == nullptr)
                ignored.unknown = "domain '" + event.domain + "'";
            if (event.domain.empty() && inventory.find_host(event.host) == nullptr)
                ignored.unknown = "host '" + event.host + "'";
            return ignored;
        });
}

}  // namespace domkeeper
