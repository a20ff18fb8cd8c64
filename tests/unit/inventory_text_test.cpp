// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory_text.hpp"

#include <catch2/catch.hpp>

#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"

using namespace domkeeper;
using namespace std::chrono_literals;

namespace {

std::string error_of(const std::string& text) {
    try {
        parse_inventory(text);
    } catch (const UsageError& e) {
        return e.what();
    }
    return "no error";
}

std::vector<std::string> found(const Inventory& inventory, bool warnings) {
    std::vector<std::string> out;
    for (const auto& problem : check_inventory(inventory))
        if (problem.warning == warnings) out.push_back(problem.path + ": " + problem.text);
    return out;
}

}  // namespace

TEST_CASE("inventory text gives the values") {
    const Inventory inventory = parse_inventory(
        "# a whole cluster\n"
        "cluster demo state_dir=\"/srv/a b\"\n"
        "\n"
        "policy max_hosts_lost=1 witnesses=w1,w2 witnesses_needed=2 look_time=500ms "
        "record_max_age=90min settle_time=1500ms unseen_peers=trust-record "
        "notify=/bin/tell,\"a, b\",\"\"   # people\n"
        "domain web1 hosts=a,b priority=-5 apart=db,web prefer=b restart=never "
        "expect=off\r\n"
        "\thost a memory=8GiB reserve=1.5GiB fence=bmc-a/pdu-1,pdu-2 uri=qemu:///system?x=y\n"
        "host b address=10.0.0.2\n"
        "device bmc-a agent=fence_ipmi ip=10.0.0.101 username=\"a \\\"b\\\" \\x01\\\\\" "
        "password_file=/etc/s\n"
        "device pdu-1 agent=fence_x\ndevice pdu-2 agent=fence_x");
    CHECK(inventory.name == "demo");
    CHECK(inventory.state_dir == "/srv/a b");
    const Policy& policy = inventory.policy;
    CHECK(policy.witnesses == std::vector<std::string>{"w1", "w2"});
    REQUIRE(inventory.domains.size() == 1);
    CHECK(inventory.domains[0].apart == std::vector<std::string>{"db", "web"});
    CHECK(inventory.domains[0].prefer == std::vector<std::string>{"b"});
    CHECK(policy.witnesses_needed == 2);
    CHECK(policy.look_time == 500ms);
    CHECK(policy.record_max_age == 90min);
    CHECK(policy.settle_time == 1500ms);
    CHECK(policy.unseen_peers == UnseenPeers::TrustRecord);
    CHECK(policy.notify == std::vector<std::string>{"/bin/tell", "a, b", ""});
    REQUIRE(inventory.hosts.size() == 2);
    const Host& a = inventory.hosts[0];
    CHECK(a.address == "a");
    CHECK(a.uri == "qemu:///system?x=y");
    CHECK(a.memory == gibibytes(8));
    CHECK(a.reserve == mebibytes(1536));
    CHECK(a.fence == std::vector<FenceLevel>{{"bmc-a"}, {"pdu-1", "pdu-2"}});
    CHECK(inventory.hosts[1].address == "10.0.0.2");
    CHECK_FALSE(inventory.hosts[1].memory);
    REQUIRE(inventory.devices.size() == 3);
    CHECK(inventory.devices[0].options.at("username") == "a \"b\" \x01\\");
    CHECK(inventory.devices[0].password_file == "/etc/s");
    REQUIRE(inventory.domains.size() == 1);
    const Domain& web1 = inventory.domains[0];
    CHECK(web1.hosts == std::vector<std::string>{"a", "b"});
    CHECK(web1.priority == -5);
    CHECK(web1.restart == RestartPolicy::Never);
    CHECK(web1.expect == Expected::Off);
}

TEST_CASE("inventory text comes back as it was") {
    for (const std::string text : {
             "",
             "host a\n",
             "cluster demo state_dir=\"/srv/a b\"\nhost a\nhost b\n",
             "cluster state_dir=/srv\n",
             "policy max_hosts_lost=2 starts_per_host=7 witnesses=w1,w2,w3 witnesses_needed=1 "
             "look_time=401ms record_max_age=1h settle_time=0ms unseen_peers=trust-record "
             "notify=/bin/tell,\"a b\",\"\",\"x\\n\\t\\x7f,=#\"\n",
             "host a address=10.0.0.1 uri=qemu:///system memory=8GiB reserve=1073741825B "
             "fence=d1,d2/d3\nhost b memory=3TiB reserve=1MiB\n"
             "device d1 agent=fence_ipmi password_file=\"/a b\" ip=::1 plug=\"\"\n"
             "device d2 agent=fence_x\ndevice d3 agent=fence_x\n"
             "domain web1 priority=100 hosts=a,b prefer=a apart=x answers=\"tcp [fd00::5]:22\" "
             "restart=never "
             "expect=any\ndomain web2\n",
             "policy vcpus_per_cpu=4 disarmed_max=1h make_room=stop-best-effort\n"
             "host a vcpus=12 offers=gpu,bridge:br0\n"
             "domain one rather_apart=x together=y rather_together=z needs=gpu after=two "
             "class=must-run start_delay=5s\ndomain two class=best-effort\n",
         }) {
        CAPTURE(text);
        CHECK(render_inventory(parse_inventory(text)) == text);
    }
}

TEST_CASE("inventory text names the line of a mistake") {
    struct Case {
        const char* text;
        const char* error;
    };
    const Case cases[] = {
        {"host a\nhots b\n",
         "line 2: \"hots\" is not known; cluster, policy, host, device, domain or storage would be "
         "right"},
        {"host\n", "line 1: the name of the host is missing"},
        {"host a b\n", "line 1: \"b\" is no key=value"},
        {"policy x\n", "line 1: \"x\" is no key=value"},
        {"host a memroy=1GiB\n", "line 1: unknown key \"memroy\"; did you mean \"memory\"?"},
        {"host a memory=1GB\n", "line 1: memory: \"1GB\" is no size such as 2GiB"},
        {"host a memory=1GiB memory=2GiB\n", "line 1: \"memory\" stands twice"},
        {"policy look_time=400\n", "line 1: look_time: \"400\" is no time such as 400ms"},
        {"policy look_time=2h\n",
         "line 1: look_time: 2h is out of range; 10ms to 1min would be right"},
        {"policy start_attempts=99999999999\n",
         "line 1: start_attempts: \"99999999999\" is no whole number"},
        {"policy\n\npolicy\n", "line 3: a second policy line"},
        {"policy unseen_peers=maybe\n", "line 1: unseen_peers: \"maybe\" is no word for this key"},
        {"host a\n\nhost a\n",
         "line 3: name: there is another host \"a\"; each name may be used once"},
        {"host -a\n",
         "line 1: name: \"-a\" is no valid name; at most 64 of A-Z a-z 0-9 . _ - and a letter or "
         "digit first would be right"},
        {"host xen1 fence=bmc-xen2\ndevice bmc-xen1 agent=x\n",
         "line 1: fence[0][0]: there is no device \"bmc-xen2\"; did you mean \"bmc-xen1\"?"},
        {"host a\ndomain d hosts=a,zzz\n",
         "line 2: hosts[1]: there is no host \"zzz\"; there are a"},
        {"device d password=x\n", "line 1: no secret stands in an inventory; use password_file"},
        {"host a address=\"x\n", "line 1: quotes must enclose the whole value: \"x"},
        {"host a address=\"x\\q\"\n", "line 1: unknown escape in \"x\\q\""},
        {"host a address=\"\\x1\"\n", "line 1: unknown escape in \"\\x1\""},
        {"host a address=b\"c\"\n", "line 1: quotes must enclose the whole value: b\"c\""},
        {"host a\x01\n", "line 1: control bytes are written \\xHH inside quotes"},
        {"policy witnesses=a,,b\n", "line 1: witnesses has an empty element"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(error_of(c.text) == c.error);
    }
}

TEST_CASE("check_inventory finds what can't be right together") {
    Inventory inventory = parse_inventory(
        "policy witnesses=w1,w2,w3\nhost a fence=d1\nhost b fence=d2\n"
        "device d1 agent=fence_ipmi ip=10.0.0.1\ndevice d2 agent=fence_ipmi ip=10.0.0.2\n"
        "domain web hosts=a,b\n");
    REQUIRE(found(inventory, false).empty());
    REQUIRE(found(inventory, true).empty());

    SECTION("more witnesses are needed than there are") {
        inventory.policy.witnesses_needed = 4;
        CHECK(found(inventory, false) ==
              std::vector<std::string>{"policy.witnesses_needed: 4 witnesses are needed, but 3 are "
                                       "listed; 1 to 3 would be right"});
        inventory.policy.witnesses.clear();
        inventory.policy.witnesses_needed = 1;
        CHECK(found(inventory, false) ==
              std::vector<std::string>{"policy.witnesses_needed: 1 witnesses are needed, but none "
                                       "is listed; leave it out or list witnesses"});
    }
    SECTION("a witness counts once and is no host of the cluster") {
        inventory.policy.witnesses = {"w1", "w1", "a", "x y"};
        CHECK(found(inventory, false).size() == 2);
        REQUIRE(found(inventory, true).size() == 1);
        CHECK(found(inventory, true)[0].find("is the address of host \"a\"") != std::string::npos);
    }
    SECTION("one device, two hosts") {
        inventory.hosts[1].fence = {{"d1"}};
        REQUIRE(found(inventory, false).size() == 1);
        CHECK(found(inventory, false)[0] ==
              "host[1].fence[0][0]: device \"d1\" fences host \"a\" already; describe it a second "
              "time under another name with the plug of this host");
    }
    SECTION("one plug under two names") {
        inventory.devices[1].options = {{"ip", "10.0.0.1"}, {"ipport", "623"}};
        REQUIRE(found(inventory, false).size() == 1);
        CHECK(found(inventory, false)[0] ==
              "host[1].fence[0][0]: device \"d2\" has the same address and plug as \"d1\" of host "
              "\"a\"; each host needs a plug of its own");
        inventory.devices[1].options["plug"] = "2";
        CHECK(found(inventory, false).empty());
        inventory.devices[1].options = {{"ip", "10.0.0.1"}, {"ipport", "624"}};
        CHECK(found(inventory, false).empty());
    }
    SECTION("two hosts at one address or hypervisor") {
        inventory.hosts[1].address = "a";
        inventory.hosts[0].uri = inventory.hosts[1].uri = "qemu:///system";
        CHECK(found(inventory, false).size() == 2);
    }
    SECTION("connection URIs") {
        for (const char* good :
             {"qemu:///system", "qemu+tcp://10.0.0.1/system", "xen+ssh://root@x/",
              "qemu+tls://[fe80::1]:16514/system?no_verify=0", "test:///default"}) {
            inventory.hosts[0].uri = good;
            CAPTURE(good);
            CHECK(found(inventory, false).empty());
        }
        for (const char* bad : {"xen1", "http://x/", "qemu+udp://x/", "qemu:system", "://x",
                                "qemu:///a b", "+tcp://x/"}) {
            inventory.hosts[0].uri = bad;
            CAPTURE(bad);
            CHECK(found(inventory, false).size() == 1);
        }
    }
    SECTION("memory") {
        inventory.hosts[0].memory = gibibytes(1);
        inventory.hosts[0].reserve = gibibytes(1);
        CHECK(found(inventory, false).size() == 1);
        inventory.hosts[0].memory = Bytes{0};
        inventory.hosts[0].reserve = Bytes{-1};
        CHECK(found(inventory, false).size() == 2);
    }
    SECTION("levels") {
        inventory.hosts[0].fence = {{}, {"d1", "d1"}};
        CHECK(found(inventory, false).size() == 2);
        inventory.hosts[0].fence.clear();
        CHECK(found(inventory, false).empty());
        const auto warnings = found(inventory, true);
        REQUIRE(warnings.size() == 2);
        CHECK(warnings[0].find("it can't be proved off") != std::string::npos);
        CHECK(warnings[1].find("no host uses device \"d1\"") != std::string::npos);
    }
    SECTION("every number has its range") {
        for (const auto& number : policy_numbers())
            inventory.policy.*number.member = number.least - 1;
        for (const auto& span : policy_spans()) inventory.policy.*span.member = span.most + 1ms;
        inventory.domains[0].priority = 1'000'001;
        CHECK(found(inventory, false).size() ==
              policy_numbers().size() + policy_spans().size() + 1);
    }
    SECTION("too few are left") {
        inventory.policy.max_hosts_lost = 2;
        inventory.domains[0].hosts = {"a"};
        inventory.policy.witnesses.clear();
        CHECK(found(inventory, true).size() == 3);
        CHECK(found(inventory, false).empty());
    }
    SECTION("cluster") {
        inventory.name = "a b";
        inventory.state_dir = "var";
        CHECK(found(inventory, false).size() == 2);
    }
}

TEST_CASE("defaults of the policy are within their ranges") {
    CHECK(found(Inventory{}, false).empty());
}

TEST_CASE("the sign that a guest gives") {
    struct Row {
        std::string text;
        std::string shown;  ///< empty: refused
    };
    const std::vector<Row> rows{
        {"ping 10.0.0.5", "ping 10.0.0.5"},
        {"ping fd00::5", "ping fd00::5"},
        {"ping web1.lab", "ping web1.lab"},
        {"tcp 10.0.0.5:22", "tcp 10.0.0.5:22"},
        {"tcp [fd00::5]:443", "tcp [fd00::5]:443"},
        {"tcp web1:65535", "tcp web1:65535"},
        {"agent", "agent"},
        {"", ""},
        {"agent ", ""},
        {"Agent", ""},
        {"agent 10.0.0.5", ""},
        {"ping", ""},
        {"ping ", ""},
        {"ping a b", ""},
        {"ping  a", ""},
        {"ping a;b", ""},
        {"ping [fd00::5]", ""},
        {"tcp 10.0.0.5", ""},
        {"tcp 10.0.0.5:0", ""},
        {"tcp 10.0.0.5:65536", ""},
        {"tcp 10.0.0.5:x", ""},
        {"tcp fd00::5:22", ""},
        {"tcp []:22", ""},
        {"tcp :22", ""},
        {"udp 10.0.0.5:22", ""},
        {"ping " + std::string(256, 'a'), ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto sign = parse_guest_sign(row.text);
        CHECK((sign ? render_guest_sign(*sign) : "") == row.shown);
    }
    CHECK_THROWS_WITH(parse_inventory("host a\ndomain d answers=\"udp x\"\n"),
                      "line 2: answers: write \"ping ADDRESS\", \"tcp ADDRESS:PORT\" or agent");
    CHECK(parse_inventory("host a\ndomain d answers=\"ping x\"\n").domains[0].answers->address ==
          "x");
}
