// SPDX-License-Identifier: GPL-3.0-or-later
// What is done with failed domains, with libvirt's test driver.
#include <catch2/catch.hpp>

#include "lib/app/off_witness.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/libvirt_hypervisor.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

Deadline soon() {
    return Deadline{mono_now() + 10s};
}

/// A domain of the test driver; `state` is a number of virDomainState.
std::string domain_xml(const std::string& name, int number, int state) {
    return "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" +
           name + "</name><uuid>aaaaaaaa-bbbb-4ccc-8ddd-00000000000" + std::to_string(number) +
           "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type "
           "arch='x86_64'>hvm</type></os><test:runstate>" +
           std::to_string(state) + "</test:runstate></domain>";
}

struct OneHost {
    test::Scratch scratch;
    LibvirtHypervisor hypervisor{
        "test://" + scratch.write("node.xml",
                                  "<node><cpu><mhz>6000</mhz><model>i986</model><active>8</active>"
                                  "<nodes>1</nodes><sockets>2</sockets><cores>4</cores>"
                                  "<threads>1</threads></cpu><memory>4194304</memory>" +
                                      domain_xml("runs", 1, 1) + domain_xml("off", 2, 5) +
                                      domain_xml("paused", 3, 3) + "</node>")};

    DomainRecord record(const std::string& name, int number, bool persistent = true) const {
        DomainRecord record;
        record.name = name;
        record.uuid = "aaaaaaaa-bbbb-4ccc-8ddd-00000000000" + std::to_string(number);
        record.host = "xen1";
        record.persistent = persistent;
        return record;
    }
    DomainState state(const std::string& name) {
        for (const DomainView& domain : hypervisor.read_host(soon()).domains)
            if (domain.name == name) return domain.state;
        return DomainState::Unknown;
    }
};

}  // namespace

TEST_CASE("libvirt: a domain is started again where it was", "[libvirt]") {
    OneHost host;
    SECTION("by the definition that its host has, whatever was recorded") {
        host.hypervisor.start_again(host.record("off", 2), soon());
        CHECK(host.state("off") == DomainState::Running);
        CHECK_THROWS_AS(host.hypervisor.start_again(host.record("off", 2), soon()), AlreadyActive);
    }
    SECTION("one that is paused is active") {
        CHECK_THROWS_AS(host.hypervisor.start_again(host.record("paused", 3), soon()),
                        AlreadyActive);
    }
    SECTION("one that its host does not know any more, and that was persistent") {
        DomainRecord gone = host.record("gone", 9);
        gone.xml = domain_xml("gone", 9, 1);
        CHECK_THROWS_WITH(host.hypervisor.start_again(gone, soon()),
                          Contains("no such domain here any more"));
        CHECK(host.state("gone") == DomainState::Unknown);
    }
    SECTION("one that was not") {
        DomainRecord gone = host.record("gone", 9, false);
        CHECK_THROWS_WITH(host.hypervisor.start_again(gone, soon()), Contains("no definition"));
        gone.xml = domain_xml("gone", 9, 1);
        host.hypervisor.start_again(gone, soon());
        CHECK(host.state("gone") == DomainState::Running);
    }
}

TEST_CASE("libvirt: only what stands still on an I/O error is let go on", "[libvirt]") {
    OneHost host;
    for (const auto& [name, number] : {std::pair{"runs", 1}, {"off", 2}, {"paused", 3}}) {
        CAPTURE(name);
        CHECK_THROWS_WITH(host.hypervisor.resume(host.record(name, number), soon()),
                          Contains("does not stand still on an I/O error"));
    }
    CHECK_THROWS_WITH(host.hypervisor.resume(host.record("gone", 9), soon()),
                      Contains("no such one"));
    CHECK(host.state("paused") == DomainState::Paused);
}

TEST_CASE("libvirt: a host's word that a domain is off", "[libvirt]") {
    OneHost host;
    CHECK(OffWitness::ask(host.hypervisor, host.record("off", 2), soon()).proof);
    CHECK_FALSE(OffWitness::ask(host.hypervisor, host.record("runs", 1), soon()).proof);
    CHECK_FALSE(OffWitness::ask(host.hypervisor, host.record("paused", 3), soon()).proof);
    const OffWord unknown = OffWitness::ask(host.hypervisor, host.record("gone", 9), soon());
    REQUIRE(unknown.proof);
    CHECK(unknown.text == "xen1 says: no such domain");
}

TEST_CASE("libvirt: a start elsewhere asks for the word about that very domain", "[libvirt]") {
    OneHost host;
    DomainRecord web = host.record("web", 7);
    web.xml = domain_xml("web", 7, 1);
    auto word = OffWitness::ask(host.hypervisor, web, soon());
    REQUIRE(word.proof);
    SECTION("given") {
        host.hypervisor.start_over(web, *word.proof, soon());
        CHECK(host.state("web") == DomainState::Running);
    }
    SECTION("of another host") {
        web.host = "xen2";
        CHECK_THROWS_AS(host.hypervisor.start_over(web, *word.proof, soon()), UsageError);
    }
    SECTION("of another domain") {
        DomainRecord other = host.record("db", 8);
        other.xml = domain_xml("db", 8, 1);
        CHECK_THROWS_AS(host.hypervisor.start_over(other, *word.proof, soon()), UsageError);
    }
}
