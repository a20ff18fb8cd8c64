// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_care.hpp"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>

#include "lib/core/text.hpp"
#include "lib/io/libvirt_migration.hpp"
#include "lib/io/libvirt_reasons.hpp"
#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

/// For each of the two questions that libvirt asks: the first tells new answers from old ones.
constexpr int agent_seconds = 1;

}  // namespace
void refuse_saved(const std::shared_ptr<LibvirtConnection>& connection,
                  const LibvirtConnection::Domain& domain, const std::string& what) {
    if (virDomainHasManagedSaveImage(domain.get(), 0) == 1)
        throw ProtocolError(connection->shown() + ": " + what +
                            ": a state of it is saved there; `virsh start` goes on with that, "
                            "`virsh managedsave-remove` throws it away");
}

void resume_domain(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid) {
    const std::string what = "letting domain " + printable(uuid, 64) + " go on";
    const auto domain = find_libvirt_domain(connection, uuid);
    if (!domain) throw ProtocolError(connection->shown() + ": " + what + ": there is no such one");
    int state = 0;
    int reason = 0;
    if (virDomainGetState(domain.get(), &state, &reason, 0) != 0) connection->fail(what);
    if (state != VIR_DOMAIN_PAUSED || reason != VIR_DOMAIN_PAUSED_IOERROR)
        throw ProtocolError(connection->shown() + ": " + what +
                            ": it does not stand still on an I/O error");
    if (virDomainResume(domain.get()) != 0) connection->fail(what);
}

bool agent_answers(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid) {
    const std::string what = "asking the agent of domain " + printable(uuid, 64);
    const auto domain = find_libvirt_domain(connection, uuid);
    if (!domain) throw ProtocolError(connection->shown() + ": " + what + ": there is no such one");
    const LibvirtText reply(
        virDomainQemuAgentCommand(domain.get(), R"({"execute":"guest-ping"})", agent_seconds, 0));
    if (reply) return true;
    // Not connected yet, or it does not answer any more.
    if (LibvirtConnection::last_agent_silent()) return false;
    connection->fail(what);
}

void end_autostart(const std::shared_ptr<LibvirtConnection>& connection, const std::string& uuid) {
    const std::string what = "taking domain " + printable(uuid, 64) + " out of autostart";
    const auto domain = find_libvirt_domain(connection, uuid);
    // One that is not persistent has no autostart.
    if (!domain || virDomainIsPersistent(domain.get()) != 1) return;
    int autostart = 0;
    if (virDomainGetAutostart(domain.get(), &autostart) == 0 && autostart == 0) return;
    if (virDomainSetAutostart(domain.get(), 0) != 0) connection->fail(what);
}

OffReading read_off_state(const std::shared_ptr<LibvirtConnection>& connection,
                          const std::string& uuid) {
    const std::string what = "reading domain " + printable(uuid, 64);
    OffReading reading;
    const auto domain = find_libvirt_domain(connection, uuid);
    if (!domain) return reading;
    reading.known = true;
    int state = 0;
    int reason = 0;
    if (virDomainGetState(domain.get(), &state, &reason, 0) != 0) {
        if (LibvirtConnection::last_domain_missing()) return {};
        connection->fail(what);
    }
    reading.state = domain_state_of(state);
    reading.reason = domain_reason_of(state, reason);
    int autostart = 0;
    if (virDomainGetAutostart(domain.get(), &autostart) == 0)
        reading.autostart = autostart != 0;
    else if (LibvirtConnection::last_domain_missing())
        return {};
    return reading;
}

}  // namespace domkeeper
