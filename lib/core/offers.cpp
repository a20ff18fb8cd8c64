// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/offers.hpp"

#include <algorithm>
#include <array>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/xml.hpp"

namespace domkeeper {
namespace {

constexpr std::array<std::string_view, 5> readable{"arch:", "os:", "bridge:", "network:", "pool:"};

/// "bridge:" of "bridge:br0" where that kind can be read from hosts; else empty.
std::string_view readable_kind(std::string_view label) {
    const std::size_t colon = label.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view kind = label.substr(0, colon + 1);
    const auto found = std::find(readable.begin(), readable.end(), kind);
    return found == readable.end() ? std::string_view{} : *found;
}

void add(Labels& labels, std::string_view kind, const std::string& name) {
    if (std::string label = std::string(kind) + name; !name.empty() && valid_label(label))
        labels.insert(std::move(label));
}

/// What devices name of their host.
void add_device(Labels& needs, const XmlElement& device) {
    const XmlElement* const source = device.child("source");
    if (source == nullptr) return;
    const std::string type = device.attribute("type");
    if (device.name == "interface" && type == "bridge")
        add(needs, "bridge:", source->attribute("bridge"));
    if (device.name == "interface" && type == "network")
        add(needs, "network:", source->attribute("network"));
    if (device.name == "disk" && type == "volume") add(needs, "pool:", source->attribute("pool"));
}

}  // namespace

bool valid_label(std::string_view label) {
    return !label.empty() && label.size() <= 128 && label.front() != ':' && label.back() != ':' &&
           std::all_of(label.begin(), label.end(), [](char c) {
               return c > 0x20 && c < 0x7F && c != '"' && c != '\'' && c != ',' && c != '\\';
           });
}

Labels needs_of_definition(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root || root->name != "domain") throw ProtocolError("the definition is that of no domain");
    Labels needs;
    const XmlElement* const os = root->child("os");
    if (const XmlElement* type = os == nullptr ? nullptr : os->child("type"); type != nullptr) {
        // libvirt writes "linux" for a PV guest of Xen, and offers "xen".
        const std::string name(trim(type->text));
        add(needs, "os:", name == "linux" && root->attribute("type") == "xen" ? "xen" : name);
        add(needs, "arch:", type->attribute("arch"));
    }
    if (const XmlElement* devices = root->child("devices"); devices != nullptr)
        for (const XmlElement& device : devices->children) add_device(needs, device);
    return needs;
}

Labels offers_of_capabilities(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root || root->name != "capabilities")
        throw ProtocolError("the host's capabilities are none");
    Labels offers{"arch:", "os:"};
    for (const XmlElement& guest : root->children) {
        if (guest.name != "guest") continue;
        if (const XmlElement* type = guest.child("os_type"); type != nullptr)
            add(offers, "os:", std::string(trim(type->text)));
        if (const XmlElement* arch = guest.child("arch"); arch != nullptr)
            add(offers, "arch:", arch->attribute("name"));
    }
    return offers;
}

Labels all_offers(const std::vector<std::string>& listed, const Labels& read) {
    Labels offers = read;
    for (const std::string& label : listed) {
        offers.insert(label);
        if (const std::string_view kind = readable_kind(label); !kind.empty())
            offers.insert(std::string(kind));
    }
    return offers;
}

const std::string* unmet_need(const std::vector<std::string>& needs, const Labels& offers) {
    for (const std::string& need : needs) {
        if (offers.count(need) != 0) continue;
        const std::string_view kind = readable_kind(need);
        if (kind.empty() || offers.count(std::string(kind)) != 0) return &need;
    }
    return nullptr;
}

}  // namespace domkeeper
