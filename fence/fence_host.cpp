// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "fence/host_agent.hpp"

int main(int argc, char** argv) {
    // Threads may still hang in a device's library: no destructor may run under them.
    std::_Exit(domkeeper::run_host_agent(argc, argv));
}
