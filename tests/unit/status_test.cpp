// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/status.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace domkeeper {
namespace {

constexpr std::array<Status, 4> by_severity{Status::Ok, Status::Warning, Status::Unknown,
                                            Status::Critical};

TEST_CASE("not seeing never hides a fire, and a warning never hides not seeing", "[status]") {
    for (std::size_t i = 0; i < by_severity.size(); ++i)
        for (std::size_t j = 0; j < by_severity.size(); ++j)
            CHECK(worst(by_severity[i], by_severity[j]) == by_severity[i < j ? j : i]);
}

TEST_CASE("a status has the name and the exit code that monitors expect", "[status]") {
    CHECK(status_name(Status::Ok) == "OK");
    CHECK(status_name(Status::Warning) == "WARNING");
    CHECK(status_name(Status::Critical) == "CRITICAL");
    CHECK(status_name(Status::Unknown) == "UNKNOWN");
    CHECK(static_cast<int>(Status::Ok) == 0);
    CHECK(static_cast<int>(Status::Warning) == 1);
    CHECK(static_cast<int>(Status::Critical) == 2);
    CHECK(static_cast<int>(Status::Unknown) == 3);
}

}  // namespace
}  // namespace domkeeper
