// SPDX-License-Identifier: GPL-3.0-or-later
// Places the domains of a text on its hosts, with the engine's own planner and solver:
//     place [SECONDS] < TEXT
// SECONDS is what the solver may take (default 10; 0: the quick ways alone). Lines of the text:
//     room HOST FREE-MIB VCPUS [GROUP ...]     groups of which a domain is there that keeps apart
//     want DOMAIN MIB VCPUS PRIORITY [GROUP ...]
// Answers "put DOMAIN HOST" or "refuse DOMAIN KIND PROOF" for each, and "took MILLISECONDS" for the
// planning alone. PROOF: "proven" (no packing has room for it), "open" (the search gave up),
// "unsearched" (without a solver).
#include <chrono>
#include <cstdio>
#include <iostream>

#include "lib/core/planner.hpp"
#include "lib/core/text.hpp"
#include "lib/io/glpk_packing.hpp"

namespace {

using namespace domkeeper;

std::int64_t number(const std::vector<std::string>& words, std::size_t index) {
    const auto value = parse_integer(words.at(index));
    if (!value) throw std::invalid_argument(words.at(index));
    return *value;
}

void read_line(const std::string& line, std::vector<Room>& rooms, std::vector<Want>& wants) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.at(0) == "room") {
        Room room{words.at(1), mebibytes(number(words, 2))};
        room.standing.vcpus = static_cast<int>(number(words, 3));
        room.standing.apart.insert(words.begin() + 4, words.end());
        rooms.push_back(std::move(room));
    } else {
        Want want{
            words.at(1), mebibytes(number(words, 2)), static_cast<int>(number(words, 4)), {}, {}};
        want.vcpus = static_cast<int>(number(words, 3));
        want.apart.assign(words.begin() + 5, words.end());
        wants.push_back(std::move(want));
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto seconds = parse_integer(argc > 1 ? argv[1] : "10");
    if (!seconds || *seconds < 0) {
        std::fputs("usage: place [SECONDS] < TEXT\n", stderr);
        return 3;
    }
    std::vector<Room> rooms;
    std::vector<Want> wants;
    try {
        for (std::string line; std::getline(std::cin, line);)
            if (!line.empty()) read_line(line, rooms, wants);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "place: can't be read: %s\n", error.what());
        return 3;
    }
    const auto began = std::chrono::steady_clock::now();
    const Plan plan = plan_placement(
        rooms, wants, *seconds == 0 ? PackingSearch{} : glpk_packing(Duration{*seconds * 1000}));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    for (const Placement& placement : plan.placements)
        std::printf("put %s %s\n", placement.domain.c_str(), placement.host.c_str());
    for (const Refusal& refusal : plan.refusals) {
        const bool open = refusal.text.find("was given up") != std::string::npos;
        const char* proof = *seconds == 0 ? "unsearched" : open ? "open" : "proven";
        std::printf("refuse %s %s %s\n", refusal.domain.c_str(),
                    std::string(refusal_kind_name(refusal.kind)).c_str(), proof);
    }
    std::printf("took %.1f\n", took.count());
    return 0;
}
