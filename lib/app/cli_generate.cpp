// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cli_table.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {

std::string render_generated(const Program& program, const std::string& what) {
    // Makes a wrong table fail the build, where every program's texts are made.
    const std::vector<std::string> mistakes = table_mistakes(program);
    if (!mistakes.empty())
        throw SystemError("option table of " + program.name + ": " + join(mistakes, "; "));
    if (what == "man") return render_man_page(program);
    if (what == "completion") return render_completion(program);
    if (what == "icinga2") return render_icinga2(program);
    if (what == "nagios") return render_nagios(program);
    if (what == "metadata") return render_agent_metadata(program);
    throw UsageError("--generate: nothing is known of '" + printable(what, 40) + "'");
}

}  // namespace domkeeper
