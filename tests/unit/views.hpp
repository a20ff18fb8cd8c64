// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>

#include "lib/core/domain.hpp"

namespace domkeeper::test {

/// A domain as a sound hypervisor shows it.
inline DomainView domain_view(std::string name, DomainState state = DomainState::Running,
                              std::string reason = {}) {
    DomainView view;
    view.uuid = "uuid-" + name;
    view.name = std::move(name);
    view.state = state;
    view.reason = std::move(reason);
    if (is_active(state) && state != DomainState::Unknown) {
        view.id = 1;
        view.memory = view.memory_max = mebibytes(64);
        view.vcpus = 1;
    }
    view.persistent = true;
    view.autostart = false;
    return view;
}

inline HostView host_view(std::vector<DomainView> domains = {}) {
    HostView view;
    view.hypervisor = "QEMU 7.2.22";
    view.libvirt = "9.0.0";
    view.hostname = "host";
    view.memory_total = gibibytes(16);
    view.memory_free = gibibytes(4);
    view.cpus = 8;
    view.domains = std::move(domains);
    view.took = Duration{4};
    return view;
}

}  // namespace domkeeper::test
