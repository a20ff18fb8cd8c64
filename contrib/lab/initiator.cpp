// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the kernel of a host does with its iSCSI disks when it starts, since QEMU is the only
// initiator of the lab's kvm hosts and there is none before the first guest: it logs in to each
// disk and keeps the session. With the registrar loaded before libiscsi the host's key is
// registered by that, once: a host that was cut off meanwhile must not let itself in again. Usage:
// initiator PORTAL NAME TARGET...

#include <iscsi/iscsi.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

namespace {

constexpr int lun = 1;
constexpr int patience = 5;  // seconds

iscsi_context* log_in(const char* portal, const char* name, const char* target) {
    for (;;) {
        iscsi_context* iscsi = iscsi_create_context(name);
        if (iscsi == nullptr) return nullptr;
        iscsi_set_timeout(iscsi, patience);
        iscsi_set_noautoreconnect(iscsi, 1);
        iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
        iscsi_set_targetname(iscsi, target);
        if (iscsi_full_connect_sync(iscsi, portal, lun) == 0) return iscsi;
        fprintf(stderr, "%s: %s\n", target, iscsi_get_error(iscsi));
        iscsi_destroy_context(iscsi);
        sleep(1);  // the storage may start later than its hosts
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    std::vector<iscsi_context*> sessions;
    for (int i = 3; i < argc; ++i)
        if (iscsi_context* iscsi = log_in(argv[1], argv[2], argv[i])) sessions.push_back(iscsi);
    while (!sessions.empty()) {
        std::vector<pollfd> waits;
        for (iscsi_context* iscsi : sessions)
            waits.push_back(
                {iscsi_get_fd(iscsi), static_cast<short>(iscsi_which_events(iscsi)), 0});
        if (poll(waits.data(), waits.size(), -1) < 0) return 1;
        std::vector<iscsi_context*> kept;
        for (size_t i = 0; i < waits.size(); ++i) {
            if (iscsi_service(sessions[i], waits[i].revents) == 0)
                kept.push_back(sessions[i]);
            else
                iscsi_destroy_context(sessions[i]);
        }
        sessions.swap(kept);
    }
    return 0;
}
