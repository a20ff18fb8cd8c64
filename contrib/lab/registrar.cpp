// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a host with iSCSI disks and a storage fence does when it logs in to a disk: it registers its
// key. QEMU is the initiator of the lab's kvm hosts and knows nothing of keys, so this library is
// loaded before libiscsi and registers right after each login, on the very session that QEMU writes
// on. The key stands in /etc/libvirt/reservation-key, which each host has for itself. A host that
// can't register gets no disk.

#include <dlfcn.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <cstdint>
#include <cstdio>
#include <memory>

namespace {

using Connect = int (*)(iscsi_context*, const char*, int);

uint64_t read_key() {
    unsigned long long key = 0;
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen("/etc/libvirt/reservation-key", "re"),
                                                     fclose);
    if (!file || fscanf(file.get(), "%llx", &key) != 1) return 0;
    return key;
}

bool register_key(iscsi_context* iscsi, int lun, uint64_t key) {
    scsi_persistent_reserve_out_basic parameters{};
    parameters.service_action_reservation_key = key;
    const std::unique_ptr<scsi_task, void (*)(scsi_task*)> task(
        iscsi_persistent_reserve_out_sync(iscsi, lun,
                                          SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY,
                                          SCSI_PERSISTENT_RESERVE_SCOPE_LU, 0, &parameters),
        scsi_free_scsi_task);
    return task && task->status == SCSI_STATUS_GOOD;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int iscsi_full_connect_sync(iscsi_context* iscsi,
                                                                              const char* portal,
                                                                              int lun) {
    const auto connect = reinterpret_cast<Connect>(dlsym(RTLD_NEXT, "iscsi_full_connect_sync"));
    if (connect == nullptr) return -1;
    const int code = connect(iscsi, portal, lun);
    if (code != 0) return code;
    const uint64_t key = read_key();
    if (key == 0 || !register_key(iscsi, lun, key)) {
        fprintf(stderr, "LUN %d at %s: the host's key can't be registered\n", lun, portal);
        return -1;
    }
    return 0;
}
