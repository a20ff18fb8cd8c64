// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/cluster_check.hpp"

#include <cstdlib>

#include "lib/io/toml_config.hpp"

namespace domkeeper {

void run_cluster_check(const Program& program, int argc, char** argv, const ClusterCheck& check) {
    std::_Exit(run_check(program, argc, argv, [&](const Arguments& arguments, Deadline deadline) {
        return check(load_inventory(config_path(arguments.text("config"))), arguments, deadline);
    }));
}

}  // namespace domkeeper
