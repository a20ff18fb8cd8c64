// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/host_event.hpp"

#include "eventhandlers/event_rows.hpp"
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
        .options = with_event_rows(
            {{.name = "host",
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
              .choices = {"UP", "DOWN", "UNREACHABLE", "OK", "WARNING", "CRITICAL", "UNKNOWN"},
              .monitor_macro = "$HOSTSTATE$"},
             state_type_row("$HOSTSTATETYPE$"),
             {.name = "about",
              .type = ValueType::Choice,
              .value_name = "WHAT",
              .help = "Whether the state is that of the host, or of a service that looks at "
                      "its storage from the host itself.",
              .default_value = "host",
              .choices = {"host", "storage"}},
             {.name = "monitor-start",
              .value_name = "TIME",
              .help = "When the monitor started, in seconds since 1970: what it says within "
                      "quiet_time after that is acted on later. Anything else is ignored.",
              .monitor_macro = "$PROCESSSTARTTIME$"}},
            "$HOSTATTEMPT$"),
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
    HostEvent event = read_event_rows(arguments);
    event.host = printable(arguments.text("host"), 64);
    event.state = state_of(arguments.text("about") == "storage", arguments.text("state"));
    if (const auto start = parse_integer(arguments.text("monitor-start")); start && *start > 0)
        event.monitor_since = TimePoint{std::chrono::seconds{*start}};
    return event;
}

}  // namespace domkeeper
