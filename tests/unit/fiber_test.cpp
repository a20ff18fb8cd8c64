// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/sim/fiber.hpp"

#include <catch2/catch.hpp>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using domkeeper::Fiber;
using domkeeper::Stacks;

TEST_CASE("fibers go on where they left off, in the order in which they are resumed", "[sim]") {
    Stacks stacks;
    std::string log;
    std::unique_ptr<Fiber> one;
    std::unique_ptr<Fiber> two;
    const auto letters = [&log](std::unique_ptr<Fiber>& self, char letter) {
        for (int i = 0; i < 3; ++i) {
            log += letter;
            if (i < 2) self->suspend();
        }
    };
    one = std::make_unique<Fiber>(stacks, [&] { letters(one, 'a'); });
    two = std::make_unique<Fiber>(stacks, [&] { letters(two, 'b'); });
    CHECK(log.empty());
    for (int i = 0; i < 3; ++i) {
        one->resume();
        two->resume();
        log += '.';
    }
    CHECK(log == "ab.ab.ab.");
}

TEST_CASE("a fiber that is suspended inside a handler still knows what it handles", "[sim]") {
    Stacks stacks;
    std::vector<std::string> caught;
    std::vector<std::unique_ptr<Fiber>> fibers(3);
    for (std::size_t i = 0; i < fibers.size(); ++i)
        fibers[i] = std::make_unique<Fiber>(stacks, [&, i] {
            try {
                throw std::runtime_error("of fiber " + std::to_string(i));
            } catch (const std::runtime_error&) {
                fibers[i]->suspend();
                try {
                    throw;
                } catch (const std::runtime_error& again) {
                    fibers[i]->suspend();
                    caught.emplace_back(again.what());
                }
            }
            CHECK(std::current_exception() == nullptr);
        });
    try {
        throw std::runtime_error("outside");
    } catch (const std::runtime_error&) {
        // Not first in, last out: with one stack of handled exceptions for all they would take
        // each other's.
        for (const std::size_t i : {0U, 1U, 2U, 0U, 2U, 1U, 1U, 0U, 2U}) fibers[i]->resume();
        CHECK_THROWS_WITH(throw, "outside");
    }
    CHECK(caught == std::vector<std::string>{"of fiber 1", "of fiber 0", "of fiber 2"});
    CHECK(std::uncaught_exceptions() == 0);
}

TEST_CASE("stacks are used again, and hold what a deep call needs", "[sim]") {
    Stacks stacks;
    std::byte* const first = stacks.take();
    std::byte* const second = stacks.take();
    CHECK(first != second);
    stacks.give_back(first);
    CHECK(stacks.take() == first);
    stacks.give_back(first);
    stacks.give_back(second);

    std::size_t depth = 0;
    Fiber deep(stacks, [&] {
        const auto down = [&depth](const auto& self, int left) -> int {
            volatile char frame[1'000] = {};
            ++depth;
            return left == 0 ? 0 : self(self, left - 1) + frame[0];
        };
        down(down, 500);
    });
    deep.resume();
    CHECK(depth == 501);
}
