// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/app/cli.hpp"

namespace domkeeper {

/// The option table of fence_host.
Program host_agent_table();

/// fence_host: the fence topology of the cluster file as one agent, for people (fence_host HOST)
/// and for Pacemaker (fence agent API; the plug is the host). Exit codes as of every fence agent.
int run_host_agent(int argc, char** argv);

}  // namespace domkeeper
