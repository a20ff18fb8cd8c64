// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/config.hpp"

namespace domkeeper {

std::string render_problem(const ConfigProblem& problem) {
    std::string out = problem.file + ":";
    if (problem.line > 0)
        out += std::to_string(problem.line) + ":" + std::to_string(problem.column) + ":";
    if (!problem.key.empty()) out += " " + problem.key + ":";
    return out + " " + problem.text;
}

}  // namespace domkeeper
