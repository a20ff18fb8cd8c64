// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/offers.hpp"

#include <catch2/catch.hpp>

#include "lib/core/error.hpp"

using namespace domkeeper;

TEST_CASE("labels", "[offers]") {
    for (const char* good : {"gpu", "bridge:br0", "cpu:avx512f", "pool:fast-1", "a:b:c"})
        CHECK(valid_label(good));
    const std::string long_one(129, 'x');
    for (const std::string& bad :
         {std::string(), std::string("a b"), std::string("bridge:"), std::string(":br0"),
          std::string("a,b"), std::string("a\"b"), std::string("a\nb"), long_one})
        CHECK_FALSE(valid_label(bad));
}

TEST_CASE("what a definition needs", "[offers]") {
    const char* const xml = R"(<domain type='kvm'><name>web1</name>
        <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
        <devices>
          <interface type='bridge'><source bridge='br0'/></interface>
          <interface type='network'><source network='lan'/></interface>
          <interface type='user'/>
          <interface type='bridge'><source bridge='evil name'/></interface>
          <disk type='volume' device='disk'><source pool='fast' volume='web1'/></disk>
          <disk type='block' device='disk'><source dev='/dev/etherd/e7.1'/></disk>
        </devices></domain>)";
    CHECK(needs_of_definition(xml) ==
          Labels{"arch:x86_64", "os:hvm", "bridge:br0", "network:lan", "pool:fast"});
    CHECK(needs_of_definition("<domain type='xen'><os><type>linux</type></os></domain>") ==
          Labels{"os:xen"});
    CHECK(needs_of_definition("<domain type='xen'><os><type>xenpvh</type></os></domain>") ==
          Labels{"os:xenpvh"});
    CHECK(needs_of_definition("<domain/>").empty());
    CHECK_THROWS_AS(needs_of_definition("<network/>"), ProtocolError);
    CHECK_THROWS_AS(needs_of_definition("<domain>"), ProtocolError);
}

TEST_CASE("what capabilities offer", "[offers]") {
    const char* const xml = R"(<capabilities><host><cpu><arch>x86_64</arch></cpu></host>
        <guest><os_type>xen</os_type><arch name='x86_64'/></guest>
        <guest><os_type>hvm</os_type><arch name='i686'/></guest></capabilities>)";
    CHECK(offers_of_capabilities(xml) ==
          Labels{"arch:", "os:", "arch:x86_64", "arch:i686", "os:xen", "os:hvm"});
    CHECK_THROWS_AS(offers_of_capabilities("<domain/>"), ProtocolError);
}

TEST_CASE("needs and offers", "[offers]") {
    const Labels read{"bridge:", "bridge:br0", "os:", "os:hvm"};
    const auto unmet = [&](const std::vector<std::string>& needs,
                           const std::vector<std::string>& listed) {
        const Labels offers = all_offers(listed, read);
        const std::string* const need = unmet_need(needs, offers);
        return need == nullptr ? std::string() : *need;
    };
    CHECK(unmet({}, {}).empty());
    CHECK(unmet({"bridge:br0", "os:hvm"}, {}).empty());
    CHECK(unmet({"bridge:br1"}, {}) == "bridge:br1");
    CHECK(unmet({"os:xen"}, {}) == "os:xen");
    CHECK(unmet({"gpu"}, {}) == "gpu");
    CHECK(unmet({"gpu"}, {"gpu"}).empty());
    CHECK(unmet({"bridge:br1"}, {"bridge:br1"}).empty());
    // Pools could not be read here: unless the cluster file lists some, nothing is known.
    CHECK(unmet({"pool:fast"}, {}).empty());
    CHECK(unmet({"pool:fast"}, {"pool:slow"}) == "pool:fast");
    // What nobody can read must be listed.
    CHECK(unmet({"cpu:avx512f"}, {}) == "cpu:avx512f");
}
