// SPDX-License-Identifier: GPL-3.0-or-later
// Hidden: tests/libvirt/run calls these with a real hypervisor and says in the environment where.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lib/app/fencing.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/libvirt_hypervisor.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

DomainRecord wanted() {
    DomainRecord record;
    record.name = environment("LIVE_NAME");
    record.uuid = environment("LIVE_UUID");
    record.host = "lost";
    record.persistent = environment("LIVE_TRANSIENT").empty();
    std::ostringstream text;
    text << std::ifstream(environment("LIVE_XML")).rdbuf();
    record.xml = text.str();
    REQUIRE_FALSE(record.xml.empty());
    return record;
}

Deadline in(Duration span) {
    return Deadline{mono_now() + span};
}

const ProofOfOff proof = FencingAuthority::operator_confirmed("lost", "a test");

}  // namespace

TEST_CASE("live: a start", "[.live-start]") {
    LibvirtHypervisor hypervisor(environment("LIVE_URI"), {.keepalive = true});
    const DomainRecord record = wanted();
    hypervisor.start_elsewhere(record, proof, in(20s));
    bool found = false;
    for (const DomainView& domain : hypervisor.read_host(in(10s)).domains) {
        if (domain.uuid != record.uuid) continue;
        found = true;
        CHECK(domain.state == DomainState::Running);
        CHECK(domain.reason == "booted");
        CHECK(domain.persistent == record.persistent);
        CHECK(domain.memory_max.count > 0);
    }
    CHECK(found);
    CHECK_THROWS_AS(hypervisor.start_elsewhere(record, proof, in(20s)), AlreadyActive);
}

TEST_CASE("live: a start that fails says why and leaves nothing behind", "[.live-failure]") {
    LibvirtHypervisor hypervisor(environment("LIVE_URI"));
    const DomainRecord record = wanted();
    try {
        hypervisor.start_elsewhere(record, proof, in(20s));
        FAIL("it was started");
    } catch (const ProtocolError& e) {
        INFO(e.what());
        CHECK(std::string(e.what()).find(environment("LIVE_REASON")) != std::string::npos);
    }
    for (const DomainView& domain : hypervisor.read_host(in(10s)).domains)
        CHECK(domain.uuid != record.uuid);
}

TEST_CASE("live: a connection that broke is opened again", "[.live-reconnect]") {
    LibvirtHypervisor hypervisor(environment("LIVE_URI"), {.keepalive = true});
    CHECK(hypervisor.read_host(in(10s)).hypervisor.find("QEMU") == 0);
    REQUIRE(std::system(environment("LIVE_RESTART").c_str()) == 0);
    CHECK(hypervisor.read_host(in(10s)).hypervisor.find("QEMU") == 0);
}

TEST_CASE("live: a libvirtd that hangs in the middle", "[.live-hang]") {
    LibvirtHypervisor hypervisor(environment("LIVE_URI"), {.keepalive = true});
    CHECK_NOTHROW(hypervisor.read_host(in(10s)));
    REQUIRE(std::system(environment("LIVE_STOP").c_str()) == 0);
    for (int turn = 0; turn < 3; ++turn) {
        const Instant start = mono_now();
        CHECK_THROWS_AS(hypervisor.read_host(in(300ms)), TimedOut);
        CHECK(mono_now() - start < 600ms);
    }
    REQUIRE(std::system(environment("LIVE_CONTINUE").c_str()) == 0);
    CHECK_NOTHROW(hypervisor.read_host(in(10s)));
}
