// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace domkeeper {

/// A connection URI fit to be shown: without user and password, and without its query, which may
/// name keys and commands. Printable.
std::string shown_uri(std::string_view uri);

/// `message` with every secret part of `uri` taken out, printable, in one line.
std::string without_secrets(std::string_view message, std::string_view uri);

/// "10.0.0.5:22"; an address of IPv6 stands in brackets: "[fd00::5]:22".
std::string render_endpoint(const std::string& address, int port);

/// True when the URI goes through ssh, which would ask for a password on the terminal.
bool uri_uses_ssh(std::string_view uri);

/// The URI without its query, whose keys and folders are those of one machine: as another machine
/// may use it.
std::string uri_for_others(std::string_view uri);

/// The URI with `parameter` (as "name=value") in its query, unless a value for that name is there.
std::string with_uri_parameter(std::string_view uri, std::string_view parameter);

}  // namespace domkeeper
