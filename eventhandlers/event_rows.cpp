// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/event_rows.hpp"

#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {

Option state_type_row(std::string macro) {
    return {.name = "type",
            .letter = 'T',
            .type = ValueType::Choice,
            .value_name = "TYPE",
            .help = "Whether the state is confirmed.",
            .required = true,
            .choices = {"SOFT", "HARD"},
            .monitor_macro = std::move(macro)};
}

std::vector<Option> with_event_rows(std::vector<Option> own, std::string attempt_macro) {
    own.push_back({.name = "attempt",
                   .letter = 'a',
                   .type = ValueType::Integer,
                   .value_name = "N",
                   .help = "Number of the check attempt, for the journal alone.",
                   .monitor_macro = std::move(attempt_macro)});
    own.push_back({.name = "output",
                   .letter = 'o',
                   .value_name = "TEXT",
                   .help = "What the check said, for the journal alone."});
    own.push_back({.name = "config",
                   .letter = 'C',
                   .type = ValueType::File,
                   .value_name = "FILE",
                   .help = "Cluster file (default: $DOMKEEPER_CONFIG, else "
                           "/etc/domkeeper/domkeeper.toml)."});
    return own;
}

HostEvent read_event_rows(const Arguments& arguments) {
    HostEvent event;
    event.type = *parse_state_type(arguments.text("type"));
    event.source = "monitor";
    event.output = printable(arguments.text("output"));
    if (const auto attempt = arguments.integer("attempt"))
        event.source += ", attempt " + std::to_string(*attempt);
    return event;
}

}  // namespace domkeeper
