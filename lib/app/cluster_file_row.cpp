// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/app/cluster_file_row.hpp"

namespace domkeeper {

Option cluster_file_row() {
    return {.name = "config",
            .letter = 'C',
            .type = ValueType::File,
            .value_name = "FILE",
            .help = "The cluster file; else $DOMKEEPER_CONFIG or /etc/domkeeper/domkeeper.toml."};
}

}  // namespace domkeeper
