// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/dom0_view.hpp"
#include "lib/core/xenstore_view.hpp"

namespace domkeeper {

/// True where this system is the one that controls Xen's domains.
bool is_dom0();

/// True when the process of that number runs and is a QEMU.
bool runs_device_model(std::int64_t pid);

/// False when this kernel knows that end of a device and no driver of it serves it, say after an
/// unbind: its state in xenstore stays Connected then (Linux's xenbus_dev_remove with
/// allow_rebind). True, too, for what the kernel does not know.
bool has_xen_driver(const XsBackend& device);

/// What only this system sees of itself: memory, load, clock, whether `programs` run, what
/// xendomains would start, and how the interfaces `vifs` are connected. Never blocks for long:
/// it reads /proc and /sys alone.
Dom0View read_dom0(const std::vector<std::string>& programs, std::vector<VifView> vifs);

/// At most `limit` bytes of a file of the system (/proc, /sys); empty text when it can't be read.
std::string read_system_file(const std::string& path, std::size_t limit = 64 * 1024);

}  // namespace domkeeper
