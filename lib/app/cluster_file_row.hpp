// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"

namespace domkeeper {

/// --config, of every program that reads the cluster file.
Option cluster_file_row();

}  // namespace domkeeper
