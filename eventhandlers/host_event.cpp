// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/host_event.hpp"

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

Program host_event_program() {
    return {
        .name = "handle_host",
        .kind = ProgramKind::Handler,
        .brief = "event handler of a host: recovers its domains when it is dead",
        .description =
            "The monitor calls it at each change of a host's state. A hard DOWN is written to the "
            "journal and handed to a worker in a session of its own: it looks a second time, "
            "fences "
            "the host, proves it off and starts its domains elsewhere. All else is ignored, and "
            "the "
            "journal says why. With --about storage the state is that of a service which looks at "
            "the "
            "host's way to its storage: a hard CRITICAL empties a host that lives and alone lost "
            "its "
            "storage. Returns within half a second; the monitor never waits for a "
            "recovery.",
        .options = {{.name = "host",
                     .letter = 'H',
                     .value_name = "NAME",
                     .help = "Host of the cluster file.",
                     .required = true,
                     .monitor_macro = "$HOSTNAME$"},
                    {.name = "state",
                     .letter = 's',
                     .type = ValueType::Choice,
                     .value_name = "STATE",
                     .help = "State that the monitor sees.",
                     .required = true,
                     .choices = {"UP", "DOWN", "UNREACHABLE", "OK", "WARNING", "CRITICAL",
                                 "UNKNOWN"},
                     .monitor_macro = "$HOSTSTATE$"},
                    {.name = "type",
                     .letter = 'T',
                     .type = ValueType::Choice,
                     .value_name = "TYPE",
                     .help = "Whether the state is confirmed.",
                     .required = true,
                     .choices = {"SOFT", "HARD"},
                     .monitor_macro = "$HOSTSTATETYPE$"},
                    {.name = "about",
                     .type = ValueType::Choice,
                     .value_name = "WHAT",
                     .help = "Whether the state is that of the host, or of a service that looks at "
                             "its storage from the host itself.",
                     .default_value = "host",
                     .choices = {"host", "storage"}},
                    {.name = "attempt",
                     .letter = 'a',
                     .type = ValueType::Integer,
                     .value_name = "N",
                     .help = "Number of the check attempt, for the journal alone.",
                     .monitor_macro = "$HOSTATTEMPT$"},
                    {.name = "monitor-start",
                     .value_name = "TIME",
                     .help = "When the monitor started, in seconds since 1970: what it says within "
                             "quiet_time after that is acted on later. Anything else is ignored.",
                     .monitor_macro = "$PROCESSSTARTTIME$"},
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
        .examples = {
            "handle_host --host xen1 --state DOWN --type HARD\tWhat Nagios runs when xen1 "
            "is dead.",
            "handle_host --host xen1 --about storage --state CRITICAL --type HARD\tWhat it "
            "runs when check_iscsi --initiator on xen1 found its sessions gone."}};
}

namespace {

/// Of a service only the state in which the storage is gone for certain counts.
HostState state_of(bool about_storage, const std::string& word) {
    const auto host_state = parse_host_state(word);
    if (about_storage == host_state.has_value())
        throw UsageError("--state " + word + " is no state of a " +
                         (about_storage ? "service; --about storage needs OK, WARNING, CRITICAL or "
                                          "UNKNOWN"
                                        : "host; UP, DOWN or UNREACHABLE would be right"));
    if (host_state) return *host_state;
    return word == "CRITICAL" ? HostState::StorageLost : HostState::Up;
}

}  // namespace

HostEvent read_host_event(const Arguments& arguments) {
    HostEvent event;
    event.host = printable(arguments.text("host"), 64);
    event.state = state_of(arguments.text("about") == "storage", arguments.text("state"));
    event.type = *parse_state_type(arguments.text("type"));
    event.source = "monitor";
    event.output = printable(arguments.text("output"));
    if (const auto start = parse_integer(arguments.text("monitor-start")); start && *start > 0)
        event.monitor_since = TimePoint{std::chrono::seconds{*start}};
    if (const auto attempt = arguments.integer("attempt"))
        event.source += ", attempt " + std::to_string(*attempt);
    return event;
}

}  // namespace domkeeper
