// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/domain_disks.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "lib/core/text.hpp"
#include "lib/core/xml.hpp"

namespace domkeeper {
namespace {

/// The decimal number at the start of `text`, which is cut off; empty: none, or too large.
std::optional<unsigned> take_number(std::string_view& text, unsigned most) {
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value > most) return std::nullopt;
    // One way to write a number, so that one unit has one name.
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(stop - text.data()));
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
    text.remove_prefix(digits.size());
    return value;
}

/// "" or a partition's number after `mark`.
bool is_partition(std::string_view rest, std::string_view mark) {
    if (rest.empty()) return true;
    if (!starts_with(rest, mark)) return false;
    rest.remove_prefix(mark.size());
    return take_number(rest, 255) && rest.empty();
}

/// "e7.1" with what follows in `rest`. A shelf has 16 bits, a slot 8 (AoEr11, 2.2); the last of
/// each is broadcast.
std::optional<std::string> aoe_unit(std::string_view text, std::string_view& rest) {
    if (!starts_with(text, "e")) return std::nullopt;
    text.remove_prefix(1);
    const auto shelf = take_number(text, 65534);
    if (!shelf || !starts_with(text, ".")) return std::nullopt;
    text.remove_prefix(1);
    const auto slot = take_number(text, 254);
    if (!slot) return std::nullopt;
    rest = text;
    return "e" + std::to_string(*shelf) + "." + std::to_string(*slot);
}

/// RFC 3720, 3.2.6.1: names are compared in lower case.
std::optional<std::string> iscsi_unit(std::string_view target, std::string_view lun) {
    const std::string name = lower(target);
    const bool fits = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
    });
    const bool known =
        starts_with(name, "iqn.") || starts_with(name, "eui.") || starts_with(name, "naa.");
    if (!fits || !known || name.size() < 5 || name.size() > 223) return std::nullopt;
    const auto number = take_number(lun, 16383);
    if (!number || !lun.empty()) return std::nullopt;
    return name + "/" + std::to_string(*number);
}

std::optional<std::string> iscsi_unit(std::string_view text) {
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return iscsi_unit(text.substr(0, slash), text.substr(slash + 1));
}

/// udev's 60-persistent-storage.rules: ip-ADDRESS:PORT-iscsi-TARGET-lun-N[-partN].
std::string unit_of_by_path(std::string_view name) {
    const std::size_t mark = name.find("-iscsi-");
    const std::size_t lun_mark = name.rfind("-lun-");
    if (!starts_with(name, "ip-") || mark == std::string_view::npos ||
        lun_mark == std::string_view::npos || lun_mark < mark + 7)
        return {};
    std::string_view rest = name.substr(lun_mark + 5);
    const std::string_view all = rest;
    if (!take_number(rest, 16383) || !is_partition(rest, "-part")) return {};
    return iscsi_unit(name.substr(mark + 7, lun_mark - mark - 7),
                      all.substr(0, all.size() - rest.size()))
        .value_or("");
}

std::string source_text(const XmlElement& source) {
    for (const char* key : {"dev", "file", "name", "dir", "volume", "path"})
        if (const std::string value = source.attribute(key); !value.empty()) return value;
    return trim(source.text).empty() ? "an unnamed source" : std::string(trim(source.text));
}

DomainDisk disk_of(const std::string& name, const std::string& type, const XmlElement& source) {
    DomainDisk disk{name, source_text(source), {}};
    if (type == "block") disk.unit = unit_of_path(source.attribute("dev"));
    if (type == "network" && source.attribute("protocol") == "iscsi")
        disk.unit = iscsi_unit(source.attribute("name")).value_or("");
    return disk;
}

void take_disk(const XmlElement& disk, std::vector<DomainDisk>& out) {
    const XmlElement* target = disk.child("target");
    const std::string name = target == nullptr ? "disk" : target->attribute("dev");
    // A copy under way writes to its target, whatever the disk itself is.
    if (const XmlElement* mirror = disk.child("mirror")) {
        const XmlElement* source = mirror->child("source");
        out.push_back(
            disk_of(name + " (copy)", mirror->attribute("type"), source ? *source : *mirror));
    }
    const std::string device = disk.attribute("device");
    if (device == "cdrom" || disk.child("readonly") != nullptr) return;
    const XmlElement* source = disk.child("source");
    if (source == nullptr && device == "floppy") return;  // an empty drive
    out.push_back(disk_of(name, disk.attribute("type"), source ? *source : disk));
}

void take_other(const XmlElement& device, std::vector<DomainDisk>& out) {
    const XmlElement* source = device.child("source");
    if (device.name == "filesystem" && device.child("readonly") == nullptr)
        out.push_back({"filesystem", source ? source_text(*source) : "", {}});
    // A controller or a card that was handed through can reach any disk.
    if (device.name == "hostdev")
        out.push_back({"hostdev", device.attribute("type") + " device of the host", {}});
    if (device.name == "memory" && source != nullptr && source->child("path") != nullptr) {
        const std::string path(trim(source->child("path")->text));
        out.push_back({"nvdimm", path, unit_of_path(path)});
    }
}

}  // namespace

std::string unit_of_path(std::string_view path) {
    constexpr std::string_view aoe = "/dev/etherd/";
    constexpr std::string_view by_path = "/dev/disk/by-path/";
    if (starts_with(path, aoe)) {
        std::string_view rest;
        const auto unit = aoe_unit(path.substr(aoe.size()), rest);
        return unit && is_partition(rest, "p") ? *unit : std::string();
    }
    if (starts_with(path, by_path)) return unit_of_by_path(path.substr(by_path.size()));
    return {};
}

std::optional<std::string> parse_disk_unit(std::string_view text) {
    std::string_view rest;
    if (auto unit = aoe_unit(text, rest); unit && rest.empty()) return unit;
    return iscsi_unit(text);
}

std::optional<std::set<std::string>> parse_disk_units(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), ',', ' ');
    std::set<std::string> units;
    for (const std::string& word : split(spaced, ' ')) {
        if (word.empty()) continue;
        const auto unit = parse_disk_unit(word);
        if (!unit) return std::nullopt;
        units.insert(*unit);
    }
    if (units.empty()) return std::nullopt;
    return units;
}

std::optional<std::vector<DomainDisk>> parse_domain_disks(std::string_view xml) {
    const auto root = parse_xml(xml);
    if (!root || root->name != "domain") return std::nullopt;
    std::vector<DomainDisk> disks;
    for (const XmlElement& devices : root->children) {
        if (devices.name != "devices") continue;
        for (const XmlElement& device : devices.children)
            device.name == "disk" ? take_disk(device, disks) : take_other(device, disks);
    }
    const XmlElement* os = root->child("os");
    const XmlElement* nvram = os == nullptr ? nullptr : os->child("nvram");
    if (nvram != nullptr) {
        const XmlElement* source = nvram->child("source");
        const DomainDisk disk =
            disk_of("nvram", nvram->attribute("type"), source ? *source : *nvram);
        // Each host has its own in libvirt's folder.
        if (!starts_with(disk.source, "/var/lib/libvirt/")) disks.push_back(disk);
    }
    return disks;
}

std::optional<std::string> coverage_gap(const Coverage& coverage, std::string_view xml) {
    if (coverage.is_everything()) return std::nullopt;
    if (coverage.empty()) return "nothing is proved of its host";
    const auto disks = parse_domain_disks(xml);
    if (!disks) return "its definition can't be read, so nobody knows its disks";
    if (disks->empty()) return "it has no disk, so that cutting disks does not stop it";
    for (const DomainDisk& disk : *disks) {
        const std::string what =
            printable(disk.name, 40) + " (" + printable(disk.source, 120) + ")";
        if (disk.unit.empty()) return "no storage fence reaches its " + what;
        if (!coverage.has(disk.unit)) return "its " + what + " is not cut";
    }
    return std::nullopt;
}

}  // namespace domkeeper
