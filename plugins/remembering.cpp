// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/remembering.hpp"

#include "lib/core/error.hpp"
#include "lib/io/memory_file.hpp"
#include "lib/io/real_scheduler.hpp"
#include "plugins/words.hpp"

namespace domkeeper {

Option memory_option() {
    return {.name = "memory",
            .type = ValueType::File,
            .value_name = "FOLDER",
            .help =
                "Remember in this folder what was seen, for the next run; without it, what "
                "needs two runs is not judged, and what may be passing is told at once."};
}

CheckResult judge_remembering(const Arguments& arguments, const std::string& check,
                              const std::string& about,
                              const std::function<CheckResult(const Recall&)>& judge) {
    const std::string folder = arguments.text("memory");
    if (folder.empty()) return judge({});
    const MemoryFile file(folder, check, about);
    Memory before;
    Memory after;
    std::string trouble;
    try {
        before = file.read();
    } catch (const Error& error) {
        trouble = error.what();
    }
    CheckResult result = judge({.before = &before, .after = &after, .now = real_now().wall});
    try {
        if (trouble.empty()) file.write(after);
    } catch (const Error& error) {
        trouble = error.what();
    }
    if (trouble.empty()) return result;
    const bool sound = overall(result) == Status::Ok;
    result.parts.push_back(part(Status::Warning, trouble));
    if (sound) result.summary = trouble;
    return result;
}

}  // namespace domkeeper
