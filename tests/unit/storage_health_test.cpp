// SPDX-License-Identifier: GPL-3.0-or-later
// Which domains a fault of the storage strands; storage nodes in both forms of the cluster file.
#include "lib/core/storage_health.hpp"

#include <catch2/catch.hpp>

#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/network_storage.hpp"
#include "lib/io/toml_config.hpp"

using namespace domkeeper;

namespace {

const std::string nodes = R"(host a
storage san1 kind=iscsi ip=10.0.0.9 disks=iqn.2026-01.lab:t1/1 paths="/dev/san1 /srv/pool/"
storage shelf7 kind=aoe interface=eth1 disks="e7.1 e7.2"
)";

std::string disk(const std::string& type, const std::string& source) {
    return "<disk device='disk' type='" + type + "'><source " + source +
           "/><target dev='vda'/></disk>";
}

std::string domain_with(const std::string& disks) {
    return "<domain><devices>" + disks + "</devices></domain>";
}

}  // namespace

TEST_CASE("a domain is stranded when one of its disks is on storage that is down") {
    const Inventory inventory = parse_inventory(nodes);
    const std::vector<StorageReport> reports{{"san1", {"iqn.2026-01.lab:t1/1"}, true, "no answer"},
                                             {"shelf7", {"e7.2"}, true, "gone"}};
    struct Case {
        std::string disks;
        std::string says;  ///< part of the reason; empty: nothing is known against it
    };
    const Case cases[] = {
        {"", ""},
        {disk("network", "protocol='iscsi' name='iqn.2026-01.lab:t1/1'"),
         "iqn.2026-01.lab:t1/1 is"},
        {disk("network", "protocol='iscsi' name='iqn.2026-01.lab:t2/1'"), ""},
        {disk("block", "dev='/dev/etherd/e7.2'"),
         "e7.2 is on storage shelf7, which is down (gone)"},
        {disk("block", "dev='/dev/etherd/e7.1'"), ""},
        {disk("block", "dev='/dev/san1/web1'"), "/dev/san1/web1 is on storage san1"},
        {disk("file", "file='/srv/pool/web1.img'"), "/srv/pool/web1.img is on storage san1"},
        {disk("block", "dev='/dev/san10/web1'"), ""},
        {disk("file", "file='/var/lib/web1.img'"), ""},
        {disk("block", "dev='/dev/etherd/e7.1'") + disk("block", "dev='/dev/san1/log'"),
         "/dev/san1/log is on"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.disks);
        const auto why = stranded(inventory, reports, domain_with(c.disks));
        CHECK(why.has_value() == !c.says.empty());
        if (why) CHECK(why->find(c.says) != std::string::npos);
    }
    CHECK_FALSE(stranded(inventory, reports, "<not a definition"));
    CHECK_FALSE(stranded(inventory, {}, domain_with(cases[1].disks)));
    CHECK_FALSE(stranded(inventory, {{"san1", {}, true, "every disk answers"}},
                         domain_with(cases[1].disks)));
    CHECK(storage_trouble(reports) ==
          "storage san1 is down (no answer) and storage shelf7 is down (gone)");
    CHECK(storage_trouble({{"san1", {}, false, "no route"}}).empty());
}

TEST_CASE("storage nodes in the text form come back as they were, mistakes have their line") {
    for (const std::string& text : {nodes, std::string("host a\npolicy storage_lost=fence\n")})
        CHECK(parse_inventory(render_inventory(parse_inventory(text))).storages.size() ==
              parse_inventory(text).storages.size());
    CHECK(render_inventory(parse_inventory(render_inventory(parse_inventory(nodes)))) ==
          render_inventory(parse_inventory(nodes)));
    CHECK(parse_inventory("host a\npolicy storage_lost=fence\n").policy.storage_lost ==
          StorageLost::Fence);
    struct Case {
        const char* line;
        const char* says;
    };
    const Case cases[] = {
        {"storage s kind=nfs disks=e7.1", "\"nfs\" is no kind of storage"},
        {"storage s kind=aoe disks=e7.1", "interface: is missing"},
        {"storage s kind=iscsi ip=x disks=nonsense", "disks: \"nonsense\" was found"},
        {"storage s kind=iscsi ip=x disks=e7.1", "e7.1 is no disk of this kind"},
        {"storage s kind=aoe interface=e disks=iqn.2026-01.lab:t1/1", "is no disk of this kind"},
        {"storage s kind=iscsi ip=x disks=iqn.2026-01.lab:t1/1 username=u", "password_file"},
        {"storage s kind=aoe interface=e disks=e7.1\nstorage t kind=aoe interface=f disks=e7.1",
         "line 3: disks: e7.1 is on storage \"s\" already"},
        {"storage s kind=aoe interface=e disks=e7.1\nstorage s kind=aoe interface=e disks=e7.2",
         "there is another storage \"s\""},
    };
    for (const Case& c : cases) {
        CAPTURE(c.line);
        std::string said;
        try {
            parse_inventory("host a\n" + std::string(c.line) + "\n");
        } catch (const UsageError& error) {
            said = error.what();
        }
        CHECK(said.find(c.says) != std::string::npos);
    }
}

TEST_CASE("storage nodes in the cluster file") {
    const std::string head = "[[host]]\nname = \"a\"\naddress = \"10.0.0.1\"\nuri = \"xen:///\"\n";
    const LoadedConfig good = parse_config(
        head +
            "[policy]\nstorage_lost = \"report\"\n"
            "[[storage]]\nname = \"san1\"\nkind = \"iscsi\"\nip = \"10.0.0.9\"\nipport = 3261\n"
            "disks = [\"iqn.2026-01.lab:t1/1\"]\npaths = \"/dev/san1\"\n",
        "f");
    REQUIRE(good.problems.empty());
    REQUIRE(good.inventory.storages.size() == 1);
    CHECK(storage_units(good.inventory.storages[0]) ==
          std::set<std::string>{"iqn.2026-01.lab:t1/1"});
    CHECK(good.inventory.storages[0].options.at("ipport") == "3261");
    CHECK(good.inventory.policy.storage_lost == StorageLost::Report);
    struct Case {
        const char* text;
        const char* says;
    };
    const Case cases[] = {
        {"[[storage]]\nname = \"s\"\nkind = \"nfs\"\n", "is no kind of storage"},
        {"[[storage]]\nname = \"s\"\n", "storage.s.kind: is missing"},
        {"[[storage]]\nname = \"s\"\nkind = \"aoe\"\ndisks = \"e7.1\"\n", "storage.s.interface"},
        {"[[storage]]\nname = \"s\"\nkind = \"aoe\"\ninterface = \"e\"\ndisks = \"e7.1\"\nip = "
         "\"x\"\n",
         "storage.s.ip: unknown key"},
        {"[policy]\nstorage_lost = \"ignore\"\n", "\"evacuate\", \"fence\" or \"report\""},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        const LoadedConfig loaded = parse_config(head + c.text, "f");
        REQUIRE_FALSE(loaded.problems.empty());
        CHECK(render_problem(loaded.problems[0]).find(c.says) != std::string::npos);
    }
}

TEST_CASE("a look at storage keeps its deadline and tells silence from what can't be asked") {
    // Nothing listens on port 9 of the loopback; this machine has no such interface; 240/4 has no
    // route, or nobody answers there.
    const Inventory inventory = parse_inventory(
        "host a\n"
        "storage closed kind=iscsi ip=127.0.0.1 ipport=9 disks=iqn.2026-01.lab:t1/1\n"
        "storage missing kind=aoe interface=nosuchif0 disks=e7.1\n"
        "storage nobody kind=iscsi ip=no.such.name.invalid disks=iqn.2026-01.lab:t2/1\n");
    const Instant begin = mono_now();
    NetworkStorage storage;
    const auto reports = storage.look(inventory.storages, Deadline{begin + Duration{300}});
    CHECK(mono_now() - begin < Duration{600});
    REQUIRE(reports.size() == 3);
    CHECK(reports[0].down == std::set<std::string>{"iqn.2026-01.lab:t1/1"});
    CHECK(reports[0].asked);
    CHECK(reports[1].down.empty());
    CHECK_FALSE(reports[1].asked);
    CHECK(reports[2].down.empty());
    CHECK_FALSE(reports[2].asked);
}
