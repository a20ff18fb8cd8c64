// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_sights.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>

#include "lib/core/domain_xml.hpp"
#include "lib/core/text.hpp"
#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

using ConnectionPtr = std::shared_ptr<LibvirtConnection>;

std::string last_words() {
    const char* const said = virGetLastErrorMessage();
    return printable(said == nullptr ? "unknown error" : said, 200);
}

/// The device names in a node device's XML: <devnode type='link'>/dev/disk/by-path/...</devnode>.
void add_names(const std::string& xml, std::set<std::string>& names) {
    for (const std::string_view tag : {"<devnode", "<block"})
        for (std::size_t at = xml.find(tag); at != std::string::npos; at = xml.find(tag, at + 1)) {
            const std::size_t begin = xml.find('>', at);
            const std::size_t end = xml.find('<', begin);
            if (begin == std::string::npos || end == std::string::npos) break;
            names.insert(
                std::string(trim(std::string_view(xml).substr(begin + 1, end - begin - 1))));
        }
}

/// Empty optional: this libvirt keeps no such list.
std::optional<std::set<std::string>> node_device_names(const ConnectionPtr& connection) {
    virNodeDevicePtr* raw = nullptr;
    const int count = virConnectListAllNodeDevices(connection->handle(), &raw,
                                                   VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE);
    if (count < 0) {
        connection->tolerate("listing the block devices");
        return std::nullopt;
    }
    std::set<std::string> names;
    for (int i = 0; i < count; ++i) {
        if (const LibvirtText xml{virNodeDeviceGetXMLDesc(raw[i], 0)}; xml)
            add_names(xml.get(), names);
        virNodeDeviceFree(raw[i]);
    }
    std::free(raw);
    return names;
}

/// A transient pool of a folder, gone with this object.
class FolderPool {
  public:
    FolderPool(const ConnectionPtr& connection, const std::string& folder) {
        std::random_device random;
        const std::string name =
            "domkeeper-look-" + std::to_string(random()) + "-" + std::to_string(random());
        const std::string xml = "<pool type='dir'><name>" + name + "</name><target><path>" +
                                folder + "</path></target></pool>";
        pool_ = virStoragePoolCreateXML(connection->handle(), xml.c_str(), 0);
        if (pool_ != nullptr) return;
        why_ = last_words();
        connection->tolerate("looking into " + folder);
    }
    ~FolderPool() {
        if (pool_ == nullptr) return;
        virStoragePoolDestroy(pool_);
        virStoragePoolFree(pool_);
    }
    FolderPool(const FolderPool&) = delete;
    FolderPool& operator=(const FolderPool&) = delete;

    explicit operator bool() const { return pool_ != nullptr; }
    const std::string& why() const { return why_; }

    std::set<std::string> paths() const {
        std::set<std::string> found;
        virStorageVolPtr* raw = nullptr;
        const int count = virStoragePoolListAllVolumes(pool_, &raw, 0);
        for (int i = 0; i < count; ++i) {
            if (const LibvirtText path{virStorageVolGetPath(raw[i])}; path)
                found.insert(path.get());
            virStorageVolFree(raw[i]);
        }
        if (count >= 0) std::free(raw);
        return found;
    }

  private:
    virStoragePoolPtr pool_ = nullptr;
    std::string why_;
};

/// Only what can stand in a pool's XML as it is: the path came from a definition.
bool is_plain_path(const std::string& path) {
    return !path.empty() && path.size() < 512 && path.front() == '/' &&
           path.find("/../") == std::string::npos &&
           std::all_of(path.begin(), path.end(), [](char c) {
               return c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != '&' && c != '\'' &&
                      c != '"';
           });
}

DeviceSight look_into_folder(const ConnectionPtr& connection, const std::string& device) {
    const std::string folder = device.substr(0, device.rfind('/'));
    if (!is_plain_path(device) || folder.size() < 2)
        return {Sight::Unknown, "its path can't be asked for"};
    const FolderPool pool(connection, folder);
    if (!pool) {
        // libvirt's words for a folder that is not there, which is an answer.
        const bool absent = pool.why().find("No such file or directory") != std::string::npos;
        return {absent ? Sight::Unseen : Sight::Unknown, pool.why()};
    }
    return {pool.paths().count(device) != 0 ? Sight::Seen : Sight::Unseen, {}};
}

}  // namespace

std::map<std::string, DeviceSight> read_device_sights(const ConnectionPtr& connection,
                                                      const std::vector<std::string>& devices) {
    std::map<std::string, DeviceSight> sights;
    const auto listed = node_device_names(connection);
    for (const std::string& device : devices) {
        if (!is_stable_device(device))
            sights[device] = {Sight::Unknown,
                              "its name may be that of another disk there; one below "
                              "/dev/disk/by-path or /dev/etherd is the same everywhere"};
        else if (listed && listed->count(device) != 0)
            sights[device] = {Sight::Seen, {}};
        else
            sights[device] = look_into_folder(connection, device);
    }
    return sights;
}

}  // namespace domkeeper
