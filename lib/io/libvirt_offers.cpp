// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_offers.hpp"

#include <libvirt/libvirt.h>

#include <cstdlib>
#include <string>

#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

using ConnectionPtr = std::shared_ptr<LibvirtConnection>;

/// Adds the names of a list as libvirt hands it out, and frees it. A negative count: the driver
/// has no such list.
template <typename Object>
void add_names(const ConnectionPtr& connection, Labels& offers, const std::string& kind, int count,
               Object* raw, const char* (*name_of)(Object), int (*release)(Object)) {
    if (count < 0) return connection->tolerate("listing what it offers (" + kind + ")");
    offers.insert(kind + ":");
    for (int i = 0; i < count; ++i) {
        const char* const name = name_of(raw[i]);
        const std::string label = kind + ":" + (name == nullptr ? "" : name);
        if (valid_label(label)) offers.insert(label);
        release(raw[i]);
    }
    std::free(raw);
}

}  // namespace

Labels read_offers(const ConnectionPtr& connection) {
    const virConnectPtr handle = connection->handle();
    Labels offers;
    if (const LibvirtText xml{virConnectGetCapabilities(handle)}; xml)
        offers = offers_of_capabilities(xml.get());
    else
        connection->tolerate("reading its capabilities");
    virInterfacePtr* interfaces = nullptr;
    const int found =
        virConnectListAllInterfaces(handle, &interfaces, VIR_CONNECT_LIST_INTERFACES_ACTIVE);
    add_names(connection, offers, "bridge", found, interfaces, virInterfaceGetName,
              virInterfaceFree);
    virNetworkPtr* networks = nullptr;
    const int active =
        virConnectListAllNetworks(handle, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE);
    add_names(connection, offers, "network", active, networks, virNetworkGetName, virNetworkFree);
    virStoragePoolPtr* pools = nullptr;
    const int usable =
        virConnectListAllStoragePools(handle, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
    add_names(connection, offers, "pool", usable, pools, virStoragePoolGetName, virStoragePoolFree);
    return offers;
}

}  // namespace domkeeper
