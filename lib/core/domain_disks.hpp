// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/power.hpp"

namespace domkeeper {

/// Something that a domain may write to.
struct DomainDisk {
    std::string name;    ///< "vda"; "filesystem", "hostdev" for what is no disk
    std::string source;  ///< as the definition names it; hostile, pass it through printable()
    /// What a storage fence calls it: "e7.1" (AoE shelf and slot) or "iqn.2026-01.lab:t1/1" (iSCSI
    /// target and LUN). Empty: no storage fence reaches it.
    std::string unit;
};

/// The unit of a disk on the host, by the names that the kernel and udev give: /dev/etherd/e7.1
/// (AoE), /dev/disk/by-path/ip-ADDRESS:PORT-iscsi-TARGET-lun-N (iSCSI), also of a partition of it.
/// Empty for any other path, since nobody can tell from its name where it leads.
std::string unit_of_path(std::string_view path);

/// A unit as people write it ("e7.1", "iqn.2026-01.lab:t1/1"), in the form in which units are
/// compared; empty: it is none.
std::optional<std::string> parse_disk_unit(std::string_view text);

/// Units separated by spaces or commas. Empty: one of them is none, or there is none at all.
std::optional<std::set<std::string>> parse_disk_units(std::string_view text);

/// All that the domain of this definition (libvirt's domain XML) may write to: disks but read-only
/// ones and CD-ROMs, the target of a running block copy, shared folders, devices that were handed
/// through, NVDIMMs and firmware variables outside of libvirt's own folder. Empty: the definition
/// can't be read.
std::optional<std::vector<DomainDisk>> parse_domain_disks(std::string_view xml);

/// Why a proof that covers this much does not allow to start the domain of this definition
/// elsewhere; empty: it does. A domain without any disk is covered by a power proof alone: cutting
/// disks would not stop it.
std::optional<std::string> coverage_gap(const Coverage& coverage, std::string_view xml);

}  // namespace domkeeper
