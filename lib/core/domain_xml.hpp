// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace domkeeper {

/// What a move must know of a domain's definition (libvirt.org/formatdomain.html).
struct DomainShape {
    std::string driver;   ///< "qemu", "kvm", "xen"
    std::string os_type;  ///< "hvm", "xenpvh", "linux" and "xen" for PV
    int vcpus = 1;
    std::vector<std::string> devices;  ///< block devices of the host, as written
    std::vector<std::string> files;    ///< disks in files of the host, as written
    int passed_through = 0;            ///< devices of the host (hostdev)
};

/// Reads the form that libvirt writes. Throws ProtocolError for what is no domain, or more than
/// 4 MiB.
DomainShape parse_domain_shape(std::string_view xml);

/// True of a path that names the same disk on every host: not sda, which another disk may be there.
bool is_stable_device(std::string_view path);

}  // namespace domkeeper
