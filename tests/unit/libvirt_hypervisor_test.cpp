// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_hypervisor.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "lib/app/fencing.hpp"
#include "lib/io/bounded.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;

namespace {

Deadline in(Duration span) {
    return Deadline{mono_now() + span};
}

std::string uuid_number(int n) {
    std::string digits = std::to_string(n);
    return "aaaaaaaa-bbbb-4ccc-8ddd-" + std::string(12 - digits.size(), '0') + digits;
}

/// A domain of libvirt's test driver; `state` is a number of virDomainState.
std::string domain_xml(const std::string& name, int number, int state,
                       const std::string& extra = {}) {
    return "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" +
           name + "</name><uuid>" + uuid_number(number) +
           "</uuid><memory unit='MiB'>64</memory><currentMemory unit='MiB'>32</currentMemory>"
           "<vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os><test:runstate>" +
           std::to_string(state) + "</test:runstate>" + extra + "</domain>";
}

std::string node_file(const test::Scratch& scratch, const std::string& domains) {
    return "test://" +
           scratch.write("node.xml",
                         "<node><cpu><mhz>6000</mhz><model>i986</model><active>8</active>"
                         "<nodes>1</nodes><sockets>2</sockets><cores>4</cores>"
                         "<threads>1</threads></cpu><memory>4194304</memory>" +
                             domains + "</node>");
}

const DomainView& domain_named(const HostView& view, const std::string& name) {
    const auto found = std::find_if(view.domains.begin(), view.domains.end(),
                                    [&](const DomainView& d) { return d.name == name; });
    REQUIRE(found != view.domains.end());
    return *found;
}

}  // namespace

TEST_CASE("libvirt: a host and its domains are read whole", "[libvirt]") {
    const test::Scratch scratch;
    LibvirtHypervisor hypervisor(node_file(
        scratch, domain_xml("web1", 1, 1) + domain_xml("paused", 2, 3) + domain_xml("off", 3, 5) +
                     domain_xml("guest", 5, 1, "<test:transient>1</test:transient>")));
    const HostView view = hypervisor.read_host(in(10s));
    CHECK(view.hypervisor.find("TEST ") == 0);
    CHECK(view.libvirt.find('.') != std::string::npos);
    CHECK_FALSE(view.hostname.empty());
    CHECK(view.memory_total.count > 0);
    CHECK(view.cpus == 8);
    CHECK(view.took < 10s);
    REQUIRE(view.domains.size() == 4);
    CHECK(std::is_sorted(view.domains.begin(), view.domains.end(),
                         [](const auto& a, const auto& b) { return a.name < b.name; }));

    const DomainView& web = domain_named(view, "web1");
    CHECK(web.state == DomainState::Running);
    CHECK(web.uuid == uuid_number(1));
    CHECK(web.id.has_value());
    CHECK(web.memory_max == mebibytes(64));
    CHECK(web.memory == mebibytes(32));
    CHECK(web.vcpus == 2);
    CHECK(web.persistent);
    CHECK(web.autostart == false);
    CHECK_FALSE(web.trouble);

    CHECK(domain_named(view, "paused").state == DomainState::Paused);
    const DomainView& off = domain_named(view, "off");
    CHECK(off.state == DomainState::ShutOff);
    CHECK_FALSE(off.id);
    CHECK(off.persistent);
    CHECK_FALSE(domain_named(view, "guest").persistent);
}

TEST_CASE("libvirt: a read-only connection reads all the same", "[libvirt]") {
    LibvirtOptions options;
    options.read_only = true;
    LibvirtHypervisor hypervisor("test:///default", options);
    const HostView view = hypervisor.read_host(in(10s));
    REQUIRE(view.domains.size() == 1);
    CHECK(view.domains[0].name == "test");
    CHECK_THROWS_AS(hypervisor.read_definition(view.domains[0].uuid, in(10s)), Denied);
}

TEST_CASE("libvirt: what a host offers", "[libvirt]") {
    LibvirtHypervisor hypervisor("test:///default");
    CHECK(hypervisor.read_offers(in(10s)) ==
          Labels{"arch:", "arch:i686", "os:", "os:hvm", "os:xen", "bridge:", "bridge:eth1",
                 "network:", "network:default", "pool:", "pool:default-pool"});
}

TEST_CASE("libvirt: what is not asked for is not read", "[libvirt]") {
    const test::Scratch scratch;
    const std::string uri = node_file(scratch, domain_xml("web1", 1, 1) + domain_xml("off", 2, 5));
    const auto read = [&](LibvirtDepth depth) {
        return LibvirtHypervisor(uri, {.depth = depth}).read_host(in(10s));
    };
    for (const LibvirtDepth depth :
         {LibvirtDepth::States, LibvirtDepth::Health, LibvirtDepth::Full}) {
        const HostView view = read(depth);
        REQUIRE(view.domains.size() == 2);
        const DomainView& web = domain_named(view, "web1");
        CHECK(web.state == DomainState::Running);
        CHECK(domain_named(view, "off").state == DomainState::ShutOff);
        CHECK(web.autostart.has_value() == (depth != LibvirtDepth::States));
        CHECK((web.memory_max == mebibytes(64)) == (depth == LibvirtDepth::Full));
    }
}

TEST_CASE("libvirt: a thousand domains in one read", "[libvirt]") {
    const test::Scratch scratch;
    std::string domains;
    for (int i = 1; i <= 1000; ++i)
        domains += domain_xml("d" + std::to_string(i), i, i % 4 == 0 ? 5 : 1);
    LibvirtHypervisor hypervisor(node_file(scratch, domains));
    const HostView view = hypervisor.read_host(in(30s));
    REQUIRE(view.domains.size() == 1000);
    CHECK(std::count_if(view.domains.begin(), view.domains.end(), [](const DomainView& d) {
              return d.state == DomainState::Running && d.memory_max == mebibytes(64);
          }) == 750);
    CHECK(std::none_of(view.domains.begin(), view.domains.end(),
                       [](const DomainView& d) { return d.trouble.has_value(); }));
}

TEST_CASE("libvirt: definitions", "[libvirt]") {
    const test::Scratch scratch;
    LibvirtHypervisor hypervisor(
        node_file(scratch, domain_xml("web1", 1, 1) +
                               domain_xml("guest", 2, 1, "<test:transient>1</test:transient>")));
    const DomainDefinition web = hypervisor.read_definition(uuid_number(1), in(10s));
    CHECK(web.persistent);
    CHECK(web.xml.find("<name>web1</name>") != std::string::npos);
    CHECK_FALSE(hypervisor.read_definition(uuid_number(2), in(10s)).persistent);
    CHECK_THROWS_AS(hypervisor.read_definition(uuid_number(9), in(10s)), ProtocolError);
    CHECK_THROWS_AS(hypervisor.read_definition("no uuid\n|", in(10s)), ProtocolError);
}

TEST_CASE("libvirt: what can't be reached says so, without secrets", "[libvirt]") {
    struct Row {
        const char* uri;
        const char* part;
    };
    const Row row = GENERATE(values<Row>({
        {"qemu+tcp://bob:s3cret@127.0.0.1:1/system?x=letmein", "qemu+tcp://127.0.0.1:1/system"},
        {"qemu+unix:///system?socket=/nonexistent/libvirt-sock", "qemu+unix:///system"},
        {"test:///nonexistent/node.xml", "test:///nonexistent/node.xml"},
        {"nosuchdriver:///", "nosuchdriver:///"},
    }));
    LibvirtHypervisor hypervisor(row.uri);
    for (int turn = 0; turn < 2; ++turn) {
        try {
            hypervisor.read_host(in(10s));
            FAIL("it answered");
        } catch (const Error& e) {
            const std::string text = e.what();
            INFO(text);
            CHECK(text.find(row.part) == 0);
            CHECK(text.find("can't connect") != std::string::npos);
            CHECK(text.find("s3cret") == std::string::npos);
            CHECK(text.find("letmein") == std::string::npos);
            CHECK(text.find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("libvirt: a refused connection is Unreachable", "[libvirt]") {
    LibvirtHypervisor hypervisor("qemu+tcp://127.0.0.1:1/system");
    CHECK_THROWS_AS(hypervisor.read_host(in(10s)), Unreachable);
}

TEST_CASE("libvirt: one hypervisor for each URI", "[libvirt]") {
    LibvirtHypervisors all;
    Host a;
    a.name = "a";
    a.uri = "test:///default";
    Host b = a;
    b.uri = "test:///default?other";
    CHECK(all.at(a) == all.at(a));
    CHECK(all.at(a) != all.at(b));
}

TEST_CASE("libvirt: a domain is started elsewhere", "[libvirt]") {
    const test::Scratch scratch;
    LibvirtHypervisor hypervisor(
        node_file(scratch, domain_xml("here", 1, 1) + domain_xml("off", 2, 5)));
    DomainRecord record;
    record.host = "xen1";
    record.persistent = GENERATE(true, false);
    const ProofOfOff proof = FencingAuthority::operator_confirmed("xen1", "pulled the plug");
    const auto start = [&](const std::string& name, int number) {
        record.name = name;
        record.uuid = uuid_number(number);
        record.xml = domain_xml(name, number, 1);
        hypervisor.start_elsewhere(record, proof, in(10s));
    };

    SECTION("a new one") {
        start("web1", 7);
        const HostView view = hypervisor.read_host(in(10s));
        CHECK(domain_named(view, "web1").state == DomainState::Running);
        CHECK(domain_named(view, "web1").persistent == record.persistent);
        CHECK_THROWS_AS(start("web1", 7), AlreadyActive);
    }
    SECTION("one that is defined here") {
        if (record.persistent) {
            start("off", 2);
            CHECK(domain_named(hypervisor.read_host(in(10s)), "off").state == DomainState::Running);
        }
    }
    SECTION("one that runs here") {
        CHECK_THROWS_AS(start("here", 1), AlreadyActive);
    }
    SECTION("the name is taken by another one") {
        CHECK_THROWS_AS(start("here", 9), ProtocolError);
        CHECK(hypervisor.read_host(in(10s)).domains.size() == 2);
    }
    SECTION("a broken definition") {
        record.name = "bad\n|name";
        record.uuid = uuid_number(9);
        record.xml = "<domain";
        try {
            hypervisor.start_elsewhere(record, proof, in(10s));
            FAIL("it was started");
        } catch (const ProtocolError& e) {
            CHECK(std::string(e.what()).find_first_of("\n|") == std::string::npos);
        }
        CHECK(hypervisor.read_host(in(10s)).domains.size() == 2);
    }
    SECTION("without a definition, or with the proof of another host") {
        record.name = "web1";
        record.uuid = uuid_number(9);
        CHECK_THROWS_AS(hypervisor.start_elsewhere(record, proof, in(10s)), UsageError);
        record.host = "xen2";
        CHECK_THROWS_AS(start("web1", 9), UsageError);
        CHECK(hypervisor.read_host(in(10s)).domains.size() == 2);
    }
}
