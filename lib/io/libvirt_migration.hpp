// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/core/maintenance_types.hpp"
#include "lib/core/record.hpp"
#include "lib/core/time.hpp"
#include "lib/io/libvirt_connection.hpp"

// The steps of a move, each a libvirt call or a few, which block as long as the far side likes:
// make them through run_bounded or on a thread of their own.

namespace domkeeper {

using LibvirtLink = std::shared_ptr<LibvirtConnection>;

/// Null: there is no such domain.
LibvirtConnection::Domain find_libvirt_domain(const LibvirtLink& link, const std::string& uuid);

/// The state of one end of a move.
SideState read_side(const LibvirtLink& link, const std::string& uuid);

/// What the definition and the hypervisor say of a domain's moving.
MoveFacts read_move_facts(const LibvirtLink& link, const DomainView& domain);

/// How far a migration is; empty: there is none under way, or the driver does not say. After the
/// end (`completed`), at the target, what it came to.
std::optional<MoveProgress> read_progress(const LibvirtConnection::Domain& domain, bool completed);

/// Throws ProtocolError with need and have when the target's hypervisor lacks the memory. Only
/// Xen's is asked: its libxl does not say what was missing when it fails for that.
void check_free_memory(const LibvirtLink& target, Bytes need);

struct Migrated {
    LibvirtConnection::Domain there;  ///< at its target
    std::string remark;               ///< what the administrator should know of it; mostly empty
};

/// libvirt's own migration. The definition goes along: persistent at the target, gone from the
/// source. QEMU's is led from here: when this process ends, libvirt lets the domain run on where it
/// was. libxl would leave it standing still at both ends, each with a job that nobody ends; so
/// there the source's libvirt leads (peer to peer) and comes to its end without us. It reaches the
/// target by `to_uri` without its query; where it can't, the move is led from here after all, with
/// a remark.
Migrated migrate(const LibvirtLink& from, const LibvirtLink& to, const std::string& to_uri,
                 const LibvirtConnection::Domain& domain, bool live);

void shut_down(const LibvirtLink& link, const std::string& uuid);
/// Starts at the target what is off at its source, and makes the source forget it.
void start_moved(const LibvirtLink& from, const LibvirtLink& to, const DomainRecord& domain,
                 const std::string& xml);

/// Discard and Resume throw ProtocolError when the end is no half.
void clean_up_side(const LibvirtLink& link, const std::string& uuid, CleanUp what);

}  // namespace domkeeper
