// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/domain_disks.hpp"

#include <catch2/catch.hpp>

#include "lib/core/xml.hpp"

using namespace domkeeper;

namespace {

std::string domain(const std::string& devices, const std::string& before = {}) {
    return "<domain type='kvm' id='3'>\n  <name>web1</name>" + before + "\n  <devices>\n" +
           devices + "\n  </devices>\n</domain>\n";
}

/// "vda=e7.1 vdb=?" for what is found, "unreadable" where nothing can be told.
std::string units(const std::string& xml) {
    const auto disks = parse_domain_disks(xml);
    if (!disks) return "unreadable";
    std::string out;
    for (const DomainDisk& disk : *disks)
        out += (out.empty() ? "" : " ") + disk.name + "=" + (disk.unit.empty() ? "?" : disk.unit);
    return out;
}

const std::string aoe =
    "<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none'/>"
    "<source dev='/dev/etherd/e7.1' index='1'/><target dev='vda' bus='virtio'/></disk>";
const std::string iscsi =
    "<disk type='network' device='disk'><source protocol='iscsi' name='iqn.2026-01.lab:t1/1'>"
    "<host name='10.0.0.9' port='3260'/></source><target dev='vdb'/></disk>";

}  // namespace

TEST_CASE("domain_disks: the unit of a path") {
    const struct {
        const char* path;
        const char* unit;
    } rows[] = {
        {"/dev/etherd/e7.1", "e7.1"},
        {"/dev/etherd/e65534.254", "e65534.254"},
        {"/dev/etherd/e7.1p3", "e7.1"},
        {"/dev/etherd/e65535.1", ""},
        {"/dev/etherd/e7.255", ""},
        {"/dev/etherd/e07.1", ""},
        {"/dev/etherd/e7.1q", ""},
        {"/dev/etherd/e7.1p", ""},
        {"/dev/etherd/e7.1/../sda", ""},
        {"/dev/etherd/e7", ""},
        {"/dev/etherd/e-7.1", ""},
        {"/dev/etherd/e+7.1", ""},
        {"/dev/etherd/e99999999999999.1", ""},
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-iqn.2026-01.lab:t1-lun-1",
         "iqn.2026-01.lab:t1/1"},
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-iqn.2026-01.lab:t1-lun-1-part2",
         "iqn.2026-01.lab:t1/1"},
        {"/dev/disk/by-path/ip-[fd00::9]:3260-iscsi-IQN.2026-01.lab:T1-lun-0",
         "iqn.2026-01.lab:t1/0"},
        // A target may be called so.
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-iqn.2026-01.lab:a-lun-3-lun-7",
         "iqn.2026-01.lab:a-lun-3/7"},
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-iqn.2026-01.lab:t1-lun-", ""},
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-iqn.2026-01.lab:t1-lun-1x", ""},
        {"/dev/disk/by-path/ip-10.0.0.9:3260-iscsi-disk-lun-1", ""},
        {"/dev/disk/by-path/ip-1-iscsi-lun-1", ""},
        {"/dev/disk/by-path/pci-0000:00:1f.2-ata-1", ""},
        {"/dev/sda", ""},
        {"/dev/mapper/vg-web1", ""},
        {"", ""},
    };
    for (const auto& row : rows) {
        INFO(row.path);
        CHECK(unit_of_path(row.path) == row.unit);
    }
}

TEST_CASE("domain_disks: units as people write them") {
    CHECK(parse_disk_unit("e7.1") == "e7.1");
    CHECK(parse_disk_unit("IQN.2026-01.Lab:t1/12") == "iqn.2026-01.lab:t1/12");
    CHECK(parse_disk_unit("naa.52004567ba64678d/0") == "naa.52004567ba64678d/0");
    for (const char* bad : {"", "e7", "e7.1p1", "e7.1 ", "/dev/etherd/e7.1", "iqn.2026-01.lab:t1",
                            "iqn.2026-01.lab:t1/", "iqn.2026-01.lab:t1/-1", "iqn.a b/1", "7.1"}) {
        INFO(bad);
        CHECK_FALSE(parse_disk_unit(bad));
    }
    CHECK(parse_disk_units("e7.1, e7.2 e7.1") == std::set<std::string>{"e7.1", "e7.2"});
    CHECK_FALSE(parse_disk_units(" , "));
    CHECK_FALSE(parse_disk_units("e7.1 sda"));
}

TEST_CASE("domain_disks: what a domain writes to") {
    const struct {
        const char* what;
        std::string xml;
        const char* units;
    } rows[] = {
        {"AoE and iSCSI", domain(aoe + iscsi), "vda=e7.1 vdb=iqn.2026-01.lab:t1/1"},
        {"a file",
         domain(
             "<disk type='file' device='disk'><source file='/x.img'/><target dev='vda'/></disk>"),
         "vda=?"},
        {"a file whose name looks like a device",
         domain("<disk type='file'><source file='/dev/etherd/e7.1'/><target dev='vda'/></disk>"),
         "vda=?"},
        {"a pool's volume",
         domain("<disk type='volume'><source pool='p' volume='v'/><target dev='vda'/></disk>"),
         "vda=?"},
        {"rbd",
         domain("<disk type='network'><source protocol='rbd' name='iqn.2026-01.lab:t1/1'/>"
                "<target dev='vda'/></disk>"),
         "vda=?"},
        {"read-only and CD-ROM don't count",
         domain("<disk type='file' device='cdrom'><source file='/x.iso'/><target dev='hda'/></disk>"
                "<disk type='file'><source file='/x.img'/><target dev='vda'/><readonly/></disk>"),
         ""},
        {"a read-only backing file does not count, the disk does",
         domain("<disk type='block'><source dev='/dev/etherd/e7.1'/><backingStore type='file'>"
                "<source file='/base.img'/></backingStore><target dev='vda'/></disk>"),
         "vda=e7.1"},
        {"a copy under way",
         domain("<disk type='block'><source dev='/dev/etherd/e7.1'/><mirror type='file' job='copy'>"
                "<source file='/y.img'/></mirror><target dev='vda'/></disk>"),
         "vda (copy)=? vda=e7.1"},
        {"a disk without a source",
         domain("<disk type='block' device='disk'><target dev='vda'/></disk>"), "vda=?"},
        {"an empty floppy drive",
         domain("<disk type='file' device='floppy'><target dev='fda'/></disk>"), ""},
        {"shared folder", domain("<filesystem><source dir='/srv'/><target dir='x'/></filesystem>"),
         "filesystem=?"},
        {"read-only shared folder",
         domain("<filesystem><source dir='/srv'/><readonly/></filesystem>"), ""},
        {"a card handed through", domain("<hostdev mode='subsystem' type='pci'/>"), "hostdev=?"},
        {"NVDIMM",
         domain("<memory model='nvdimm'><source><path>/dev/etherd/e7.3</path></source></memory>"),
         "nvdimm=e7.3"},
        {"firmware variables in libvirt's folder",
         domain(aoe, "<os><nvram>/var/lib/libvirt/qemu/nvram/web1.fd</nvram></os>"), "vda=e7.1"},
        {"firmware variables elsewhere", domain(aoe, "<os><nvram>/srv/web1.fd</nvram></os>"),
         "vda=e7.1 nvram=?"},
        {"Xen's definition",
         "<?xml version='1.0'?><!-- x --><domain type='xen'><devices><disk type='block' "
         "device='disk'><driver name='phy'/><source dev=\"/dev/etherd/e7.1\"/><target dev='xvda' "
         "bus='xen'/></disk></devices></domain>",
         "xvda=e7.1"},
        {"an escaped name",
         domain("<disk type='block'><source dev='/dev/&#x65;therd/e7.1'/><target dev='v&amp;a'/>"
                "</disk>"),
         "v&a=e7.1"},
        {"no domain", "<network/>", "unreadable"},
        {"cut short", domain(aoe).substr(0, 200), "unreadable"},
        {"an empty text", "", "unreadable"},
        {"a document type", "<!DOCTYPE domain [<!ENTITY x 'y'>]><domain/>", "unreadable"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(units(row.xml) == row.units);
    }
}

TEST_CASE("domain_disks: which proof covers which domain") {
    const Coverage nothing;
    const Coverage power = Coverage::everything();
    const Coverage one = Coverage::of_disks({"e7.1"});
    const Coverage both = Coverage::of_disks({"e7.1", "iqn.2026-01.lab:t1/1"});
    const std::string file =
        domain("<disk type='file'><source file='/x|y'/><target dev='vda'/></disk>");
    const struct {
        const char* what;
        const Coverage& coverage;
        std::string xml;
        const char* gap;  ///< empty: covered
    } rows[] = {
        {"power covers everything", power, file, ""},
        {"power covers what can't be read", power, "<", ""},
        {"its only disk is cut", one, domain(aoe), ""},
        {"one of two is cut", one, domain(aoe + iscsi),
         "its vdb (iqn.2026-01.lab:t1/1) is not cut"},
        {"both are cut", both, domain(aoe + iscsi), ""},
        {"a file is never cut", both, file, "no storage fence reaches its vda (/x?y)"},
        {"no disk at all", both, domain(""),
         "it has no disk, so that cutting disks does not stop it"},
        {"unreadable", both, "<domain>", "its definition can't be read, so nobody knows its disks"},
        {"nothing proved", nothing, domain(aoe), "nothing is proved of its host"},
        {"nothing proved of no disk", nothing, domain(""), "nothing is proved of its host"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(coverage_gap(row.coverage, row.xml).value_or("") == row.gap);
    }
}

TEST_CASE("domain_disks: coverages") {
    Coverage sum;
    CHECK(sum.empty());
    CHECK(sum.text() == "nothing");
    CHECK(sum.includes(Coverage{}));
    sum.add(Coverage::of_disks({"e7.2"}));
    sum.add(Coverage::of_disks({"e7.1"}));
    CHECK(sum.text() == "disks e7.1, e7.2");
    CHECK(sum.includes(Coverage::of_disks({"e7.1"})));
    CHECK_FALSE(sum.includes(Coverage::of_disks({"e7.3"})));
    CHECK_FALSE(sum.includes(Coverage::everything()));
    CHECK_FALSE(Coverage::of_disks({}).has("e7.1"));
    CHECK(Coverage::of_disks({}).empty());
    sum.add(Coverage::everything());
    CHECK(sum.is_everything());
    CHECK(sum.includes(Coverage::of_disks({"e7.3"})));
    CHECK(sum.has("anything"));
}

TEST_CASE("xml: what is well-formed") {
    const auto root =
        parse_xml("<a x='1' y=\"&lt;&#66;\">t<!-- c --><b/><![CDATA[<&]]><b z='2'/></a >");
    REQUIRE(root);
    CHECK(root->name == "a");
    CHECK(root->attribute("x") == "1");
    CHECK(root->attribute("y") == "<B");
    CHECK(root->attribute("none") == "");
    CHECK(root->text == "t<&");
    REQUIRE(root->children.size() == 2);
    CHECK(root->child("b") == &root->children[0]);
    CHECK(root->child("c") == nullptr);
    std::string deep;
    for (int i = 0; i < 65; ++i) deep += "<a>";
    for (int i = 0; i < 65; ++i) deep += "</a>";
    CHECK_FALSE(parse_xml(deep));
    for (const char* bad : {"",
                            "x",
                            "<a",
                            "<a>",
                            "<a></b>",
                            "<a x></a>",
                            "<a x=1/>",
                            "<a x='1' x='2'/>",
                            "<a/><b/>",
                            "<a>&nbsp;</a>",
                            "<a>&#0;</a>",
                            "<a>&#xD800;</a>",
                            "<a>&#1114112;</a>",
                            "<a b='<'/>",
                            "<a x='1'y='2'/>",
                            "<a><!-- </a>",
                            "<a/>x",
                            "<a>&</a>",
                            "< a/>",
                            "<a x='1/>"}) {
        INFO(bad);
        CHECK_FALSE(parse_xml(bad));
    }
}
