// SPDX-License-Identifier: GPL-3.0-or-later
// The rules of placement in the cluster file.
#include <catch2/catch.hpp>

#include "lib/io/toml_config.hpp"
#include "tests/unit/sound_config.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;

namespace {

/// "line:column: key: text" of each problem.
std::vector<std::string> problems_of(const std::string& text) {
    std::vector<std::string> out;
    for (const ConfigProblem& problem : parse_config(text, "c").problems)
        out.push_back(render_problem(problem).substr(2));
    return out;
}

}  // namespace

TEST_CASE("cluster file gives the rules of placement") {
    const LoadedConfig loaded = parse_config(sound + R"(class = "must-run"
apart = ["a"]
rather_apart = ["b"]
together = ["c"]
rather_together = ["d"]
needs = ["gpu", "bridge:br0"]
after = ["db1"]
start_delay = "10s"
[[domain]]
name = "db1"
class = "best-effort"
[[host]]
name = "xen3"
address = "10.0.0.3"
uri = "qemu+tcp://10.0.0.3/system"
vcpus = 48
offers = ["gpu"]
[policy]
vcpus_per_cpu = 4
make_room = "stop-best-effort"
disarmed_max = "12h"
)",
                                             "c");
    CHECK(loaded.problems.empty());
    const Inventory& inventory = loaded.inventory;
    CHECK(inventory.policy.vcpus_per_cpu == 4);
    CHECK(inventory.policy.make_room == MakeRoom::StopBestEffort);
    CHECK(inventory.policy.disarmed_max == 12h);
    REQUIRE(inventory.hosts.size() == 3);
    CHECK(inventory.hosts[2].vcpus == 48);
    CHECK(inventory.hosts[2].offers == std::vector<std::string>{"gpu"});
    CHECK_FALSE(inventory.hosts[0].vcpus);
    REQUIRE(inventory.domains.size() == 2);
    const Domain& web1 = inventory.domains[0];
    CHECK(web1.domain_class == DomainClass::MustRun);
    CHECK(web1.apart == std::vector<std::string>{"a"});
    CHECK(web1.rather_apart == std::vector<std::string>{"b"});
    CHECK(web1.together == std::vector<std::string>{"c"});
    CHECK(web1.rather_together == std::vector<std::string>{"d"});
    CHECK(web1.needs == std::vector<std::string>{"gpu", "bridge:br0"});
    CHECK(web1.after == std::vector<std::string>{"db1"});
    CHECK(web1.start_delay == 10s);
    CHECK(inventory.domains[1].domain_class == DomainClass::BestEffort);
}

TEST_CASE("cluster file: mistakes in the rules are named with their place") {
    struct Case {
        std::string text;
        std::vector<std::string> problems;
    };
    const Case cases[] = {
        {sound + "class = \"best\"\nstart_delay = 5\nneeds = \"gpu\"\ntogether = [\"a b\"]\n"
                 "after = [\"web1\", \"web2\"]\n",
         {"22:9: domain.web1.class: \"best\" was found; \"must-run\", \"normal\" or "
          "\"best-effort\" would be right",
          "23:15: domain.web1.start_delay: 5 was found; a time in quotes such as \"10s\" would be "
          "right",
          "24:9: domain.web1.needs: \"gpu\" was found; a list of labels such as [\"gpu\", "
          "\"bridge:br0\"] would be right",
          "25:13: domain.web1.together[0]: \"a b\" is no name of a group; letters, digits, '.', "
          "'_' and '-' would be right",
          "26:10: domain.web1.after[0]: it can't wait for itself",
          "26:18: domain.web1.after[1]: there is no domain \"web2\"; did you mean \"web1\"?"}},
        {sound + "needs = [\"gpu\", \"a b\"]\nstart_delay = \"2h\"\n[policy]\n"
                 "make_room = true\nvcpus_per_cpu = -1\n",
         {"22:10: domain.web1.needs[0]: no host offers \"gpu\"; there are none",
          "22:17: domain.web1.needs[1]: \"a b\" is no label; such as \"gpu\" or \"bridge:br0\" "
          "would be right",
          "23:15: domain.web1.start_delay: 2h is out of range; 0 to 1h would be right",
          "25:13: policy.make_room: true was found; \"never\" or \"stop-best-effort\" would be "
          "right",
          "26:17: policy.vcpus_per_cpu: -1 is out of range; 0 to 1000 would be right"}},
        {sound + "together = [\"g\"]\napart = [\"h\"]\nafter = [\"web2\"]\n[[domain]]\n"
                 "name = \"web2\"\ntogether = [\"g\"]\napart = [\"h\"]\nafter = [\"web1\"]\n",
         {"22:13: domain.web1.together[0]: it must be on one host with \"web2\", and apart from it",
          "27:13: domain.web2.together[0]: it must be on one host with \"web1\", and apart from it",
          "29:9: domain.web2.after: it waits for \"web1\", which waits for it in the end; without "
          "this circle would be right"}},
        {sound + "together = [\"g\"]\nhosts = [\"xen1\"]\n[[domain]]\nname = \"web2\"\n"
                 "together = [\"g\"]\nhosts = [\"xen2\"]\n",
         {"22:13: domain.web1.together[0]: it must be on one host with \"web2\", and there is none "
          "on which both may run",
          "26:13: domain.web2.together[0]: it must be on one host with \"web1\", and there is none "
          "on which both may run"}},
        {replaced(sound, "fence = [[\"bmc-xen1\"]]",
                  "fence = [[\"bmc-xen1\"]]\nvcpus = 0\noffers = [\"a b\"]"),
         {"6:9: host.xen1.vcpus: 0 is out of range; 1 to 1000000 would be right",
          "7:11: host.xen1.offers[0]: \"a b\" is no label; such as \"gpu\" or \"bridge:br0\" would "
          "be right"}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(problems_of(c.text) == c.problems);
    }
}
