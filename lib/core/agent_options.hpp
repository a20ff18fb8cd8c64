// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/core/inventory.hpp"
#include "lib/core/power.hpp"

namespace domkeeper {

/// How the value of a device's option is written.
enum class OptionForm { Text, Address, Port, Number, Seconds, Switch, Disks };

/// An option that a device in the cluster file may have for its agent.
struct AgentOption {
    std::string_view name;  ///< by the fence agent API
    OptionForm form = OptionForm::Text;
    bool required = false;
};

/// What a device takes away from a host.
enum class DeviceKind {
    Power,   ///< its power: once off, no domain of it runs
    Storage  ///< the disks that its option `disks` names; the host itself runs on
};

/// A fence agent that the recovery can drive, and what its devices may be told. Secrets are no
/// options: they stand in files of their own.
struct AgentOptions {
    std::string_view agent;
    DeviceKind kind = DeviceKind::Power;
    std::span<const AgentOption> options;
};

std::span<const AgentOptions> known_agents();

/// The kinds of storage node that the recovery can look at, and what they may be told.
std::span<const AgentOptions> known_storages();

/// What a device or storage node sets for an option of its agent; empty: nothing.
std::string option_of(const FenceDevice& device, const std::string& name);

/// True for the path of a fence agent of the system that may be run: fence_NAME in /usr/sbin or
/// /usr/local/sbin, where root alone can put programs.
bool is_external_agent(std::string_view agent);

/// An option of the fence agent API whose value nobody may read.
bool is_secret_option(std::string_view name);

/// What the reading Off of this device proves, by its configuration: everything for a power device,
/// the units in its option `disks` for a storage device and for any other that has this option.
/// Empty for an unknown agent and for a storage device without disks, among them fence_scsi and
/// other agents of the system that are known to leave the power alone.
Coverage configured_coverage(const FenceDevice& device);

/// What would be right, such as "a port from 1 to 65535"; empty: the value is right already.
std::optional<std::string> wrong_option(OptionForm form, std::string_view value);

/// An IPv4 or IPv6 address, with scope where it has one, or a host name; by its letters alone.
bool valid_address(std::string_view text);

}  // namespace domkeeper
