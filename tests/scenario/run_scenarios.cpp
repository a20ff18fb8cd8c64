// SPDX-License-Identifier: GPL-3.0-or-later
// Runs scenario files: run_scenarios [--rewrite|--sweep|--show] FILE...
// A file is a scenario, a line "----", and the expected log. A missing expectation fails; only
// --rewrite writes one. --sweep kills the worker at every crash point and checks the promises.
#include <fstream>
#include <iostream>
#include <sstream>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/fiber.hpp"
#include "lib/sim/scenario.hpp"

namespace {

struct Counts {
    long passed = 0;
    long failed = 0;
    void count(bool ok) { ++(ok ? passed : failed); }
};

domkeeper::ScenarioFile read_file(const std::string& path) {
    std::ifstream in(path);
    if (!in) throw domkeeper::SystemError(path + ": can't be read");
    std::ostringstream all;
    all << in.rdbuf();
    return domkeeper::split_scenario(all.str());
}

void print_difference(const std::string& expected, const std::string& got) {
    const auto want = domkeeper::split(expected, '\n');
    const auto have = domkeeper::split(got, '\n');
    for (std::size_t i = 0; i < std::max(want.size(), have.size()); ++i) {
        const std::string a = i < want.size() ? want[i] : "(end)";
        const std::string b = i < have.size() ? have[i] : "(end)";
        if (a == b) continue;
        std::cout << "    line " << i + 1 << "\n      want: " << a << "\n      have: " << b << "\n";
        return;
    }
}

bool check(const std::string& path, bool rewrite) {
    const domkeeper::ScenarioFile file = read_file(path);
    const auto outcome = domkeeper::run_scenario(domkeeper::parse_scenario(file.head));
    const std::string got = domkeeper::render_outcome(outcome);
    for (const std::string& broken : outcome.broken)
        std::cout << "  " << path << ": BROKEN: " << broken << "\n";
    if (rewrite) {
        std::ofstream(path) << domkeeper::join_scenario({file.head, got});
        return outcome.broken.empty();
    }
    if (file.expected.empty()) {
        std::cout << "  " << path << ": no expectation; `make rewrite` writes one\n";
        return false;
    }
    if (got == file.expected) return outcome.broken.empty();
    std::cout << "  " << path << ": the log differs\n";
    print_difference(file.expected, got);
    return false;
}

/// True when killing the worker at each crash point breaks no promise and loses no domain.
void sweep(const std::string& path, Counts& counts) {
    const domkeeper::ScenarioFile file = read_file(path);
    auto scenario = domkeeper::parse_scenario(file.head);
    const bool same_end = file.head.find("# sweep: promises only") == std::string::npos;
    domkeeper::Stacks stacks;
    const auto plain = domkeeper::run_scenario(scenario, std::nullopt, &stacks);
    // The second worker needs time for what the first one did already.
    scenario.until += domkeeper::Duration{150'000};
    for (long point = 1; point <= plain.crash_points; ++point) {
        const auto crashed = domkeeper::run_scenario(scenario, point, &stacks);
        std::string trouble;
        if (!crashed.broken.empty()) trouble = crashed.broken.front();
        for (const auto& [domain, host] : plain.ran)
            if (same_end && !host.empty() && crashed.ran.at(domain).empty())
                trouble = domain + " is lost";
        for (const std::string& line : crashed.final_state)
            if (line.find(" open: ") != std::string::npos) trouble = line;
        counts.count(trouble.empty());
        if (trouble.empty()) continue;
        std::cout << "  " << path << ": killed at crash point " << point << " of "
                  << plain.crash_points << ": " << trouble << "\n";
        if (counts.failed <= 1) std::cout << domkeeper::render_outcome(crashed);
    }
}

int run(const std::vector<std::string>& arguments) {
    Counts counts;
    std::string mode;
    for (const std::string& argument : arguments) {
        if (domkeeper::starts_with(argument, "--")) {
            mode = argument;
            continue;
        }
        try {
            if (mode == "--sweep")
                sweep(argument, counts);
            else if (mode == "--show")
                std::cout << domkeeper::render_outcome(
                    domkeeper::run_scenario(domkeeper::parse_scenario(read_file(argument).head)));
            else
                counts.count(check(argument, mode == "--rewrite"));
        } catch (const domkeeper::Error& error) {
            std::cout << "  " << argument << ": " << error.what() << "\n";
            counts.count(false);
        }
    }
    std::cout << counts.passed << " passed, " << counts.failed << " failed, 0 skipped\n";
    return counts.failed == 0 && (counts.passed > 0 || mode == "--show") ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    return run({argv + 1, argv + argc});
}
