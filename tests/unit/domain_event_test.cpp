// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/domain_event.hpp"

#include <catch2/catch.hpp>

#include "lib/core/error.hpp"

using namespace domkeeper;

namespace {

HostEvent event_of(const std::vector<std::string>& words) {
    return read_domain_event(parse_command_line(domain_event_program(), words).arguments.value());
}

}  // namespace

TEST_CASE("what the monitor's word means for a domain") {
    struct Row {
        const char* state;
        HostState meant;
    };
    for (const Row& row :
         {Row{"OK", HostState::Up}, Row{"WARNING", HostState::Up}, Row{"UP", HostState::Up},
          Row{"CRITICAL", HostState::DomainFailed}, Row{"DOWN", HostState::DomainFailed},
          Row{"UNKNOWN", HostState::Unreachable}, Row{"UNREACHABLE", HostState::Unreachable}}) {
        CAPTURE(row.state);
        const HostEvent event = event_of({"--domain", "web1", "--state", row.state, "--type",
                                          "HARD", "--attempt", "3", "--output", "bad\nthing"});
        CHECK(event.state == row.meant);
        CHECK(event.domain == "web1");
        CHECK(event.host.empty());
        CHECK(event.source == "monitor, attempt 3");
        CHECK(event.output.find('\n') == std::string::npos);
    }
    CHECK(event_of({"--host", "xen1", "--domain", "", "--state", "CRITICAL", "--type", "SOFT"})
              .domain.empty());
    CHECK_THROWS_AS(event_of({"--state", "CRITICAL", "--type", "HARD"}), UsageError);
}
