// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>

#include "lib/core/shut_off.hpp"
#include "lib/io/libvirt_connection.hpp"

// What is done with a domain that failed on its own host, each a libvirt call or a few, which block
// as long as the far side likes: make them through run_bounded or on a thread of their own.

namespace domkeeper {

/// Throws ProtocolError when a state of the domain is saved there: starting it would resume that.
void refuse_saved(const std::shared_ptr<LibvirtConnection>& connection,
                  const LibvirtConnection::Domain& domain, const std::string& what);

/// Throws ProtocolError where the domain does not stand still on an I/O error.
void resume_domain(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid);

/// The host does not start it by itself any more; nothing happens where it does not know it.
void end_autostart(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid);

OffReading read_off_state(const std::shared_ptr<LibvirtConnection>& connection,
                          const std::string& uuid);

/// Whether the guest's agent answers, which libvirt waits for some two seconds. Throws
/// ProtocolError where there is none to be asked.
bool agent_answers(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid);

}  // namespace domkeeper
