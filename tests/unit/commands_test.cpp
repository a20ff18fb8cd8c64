// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/commands.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "lib/io/user.hpp"

using namespace domkeeper;

TEST_CASE("every command of domkeeper has a name of its own, a help and something to do") {
    std::set<std::string> names;
    for (const Command& command : all_commands()) {
        CAPTURE(command.table.name);
        CHECK(names.insert(command.table.name).second);
        CHECK_FALSE(command.table.help.empty());
        CHECK(command.run);
    }
    CHECK(domkeeper_program(all_commands()).commands.size() == names.size());
}

TEST_CASE("the user has a name") {
    CHECK_FALSE(user_name().empty());
}
