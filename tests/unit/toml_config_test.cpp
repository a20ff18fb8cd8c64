// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/toml_config.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "tests/unit/scratch.hpp"
#include "tests/unit/sound_config.hpp"

using namespace domkeeper;
using namespace domkeeper::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// "line:column: key: text" of each problem.
std::vector<std::string> lines(const std::vector<ConfigProblem>& problems) {
    std::vector<std::string> out;
    for (const ConfigProblem& problem : problems) {
        const std::string whole = render_problem(problem);
        REQUIRE_THAT(whole, StartsWith(problem.file + ":"));
        out.push_back(whole.substr(problem.file.size() + 1));
    }
    return out;
}

LoadedConfig read_text(const std::string& text) {
    const Scratch scratch;
    return read_config(scratch.write("c.toml", text));
}

std::vector<std::string> problems_of(const std::string& text) {
    return lines(read_text(text).problems);
}

}  // namespace

TEST_CASE("cluster file gives the values") {
    const Scratch scratch;
    const std::string secret = scratch.write("secret", "x\n", 0640);
    const LoadedConfig loaded = read_config(scratch.write("c.toml", R"(
[cluster]
name = "demo"
state_dir = "/srv/state"
[policy]
max_hosts_lost = 1
witnesses = ["10.77.0.254", "fe80::1%eth0"]
witnesses_needed = 1
look_time = "450ms"
record_max_age = "10min"
settle_time = "6s"
fence_time = "61s"
start_time = "62s"
observe_time = "1.5s"
starts_per_host = 3
start_attempts = 1
survive = 2
unseen_peers = "trust-record"
notify = ["/usr/bin/tell", "a b", ""]
[[host]]
name = "xen1"
address = "10.77.0.1"
uri = "qemu+tcp://10.77.0.1/system"
memory = "2GiB"
reserve = "256MiB"
fence = [["bmc-xen1"], ["pdu-1", "pdu-2"]]
[[host]]
name = "xen2"
address = "xen2.example.com"
uri = "xen+tls://xen2.example.com/"
[[device]]
name = "bmc-xen1"
agent = "fence_ipmi"
ip = "10.77.0.101"
ipport = 624
username = "fence"
lanplus = true
timeout = "20s"
password_file = ")" + secret + R"("
[[device]]
name = "pdu-1"
agent = "fence_ipmi"
ip = "10.77.0.102"
plug = "1"
[[device]]
name = "pdu-2"
agent = "fence_ipmi"
ip = "10.77.0.102"
plug = 2
[[domain]]
name = "web1"
hosts = ["xen1", "xen2"]
priority = -7
restart = "never"
expect = "any"
[[domain]]
name = "web2"
)"));
    CHECK(lines(loaded.problems) == std::vector<std::string>{});
    CHECK(lines(loaded.warnings) ==
          std::vector<std::string>{
              "27:1: host.xen2.fence: host \"xen2\" has no fence device: it can't be proved off, "
              "so its domains are started elsewhere only after an operator's word"});
    const Inventory& inventory = loaded.inventory;
    CHECK(inventory.name == "demo");
    CHECK(inventory.state_dir == "/srv/state");
    const Policy& policy = inventory.policy;
    CHECK(policy.witnesses == std::vector<std::string>{"10.77.0.254", "fe80::1%eth0"});
    CHECK(policy.quorum() == 1);
    CHECK(policy.look_time == 450ms);
    CHECK(policy.record_max_age == 10min);
    CHECK(policy.settle_time == 6s);
    CHECK(policy.fence_time == 61s);
    CHECK(policy.start_time == 62s);
    CHECK(policy.observe_time == 1500ms);
    CHECK(policy.starts_per_host == 3);
    CHECK(policy.start_attempts == 1);
    CHECK(policy.survive == 2);
    CHECK(policy.unseen_peers == UnseenPeers::TrustRecord);
    CHECK(policy.notify == std::vector<std::string>{"/usr/bin/tell", "a b", ""});
    REQUIRE(inventory.hosts.size() == 2);
    CHECK(inventory.hosts[0].address == "10.77.0.1");
    CHECK(inventory.hosts[0].uri == "qemu+tcp://10.77.0.1/system");
    CHECK(inventory.hosts[0].memory == gibibytes(2));
    CHECK(inventory.hosts[0].reserve == mebibytes(256));
    CHECK(inventory.hosts[0].fence == std::vector<FenceLevel>{{"bmc-xen1"}, {"pdu-1", "pdu-2"}});
    CHECK_FALSE(inventory.hosts[1].memory);
    REQUIRE(inventory.devices.size() == 3);
    const FenceDevice& bmc = inventory.devices[0];
    CHECK(bmc.agent == "fence_ipmi");
    CHECK(bmc.password_file == secret);
    CHECK(bmc.options == std::map<std::string, std::string>{{"ip", "10.77.0.101"},
                                                            {"ipport", "624"},
                                                            {"username", "fence"},
                                                            {"lanplus", "1"},
                                                            {"timeout", "20s"}});
    CHECK(inventory.devices[2].options.at("plug") == "2");
    REQUIRE(inventory.domains.size() == 2);
    CHECK(inventory.domains[0].hosts == std::vector<std::string>{"xen1", "xen2"});
    CHECK(inventory.domains[0].priority == -7);
    CHECK(inventory.domains[0].restart == RestartPolicy::Never);
    CHECK(inventory.domains[0].expect == Expected::Any);
    CHECK(inventory.domains[1].hosts.empty());
}

TEST_CASE("cluster file: each mistake is named with its place and what would be right") {
    REQUIRE(problems_of(sound).empty());
    struct Case {
        std::string text;
        std::vector<std::string> problems;
    };
    const std::string devices_only =
        "[[device]]\nname = \"d\"\nagent = \"fence_ipmi\"\nip = \"x\"\n";
    const Case cases[] = {
        {"", {"1:1: host: there is no host; such as [[host]] name = \"xen1\" would be right"}},
        {sound + "[polcy]\nx = 1\n", {"22:2: polcy: unknown key; did you mean \"policy\"?"}},
        {sound + "[policy]\nlook_tme = \"1s\"\nzzzzzzzz = 1\n",
         {"23:1: policy.look_tme: unknown key; did you mean \"look_time\"?",
          "24:1: policy.zzzzzzzz: unknown key; known are witnesses, witnesses_needed, "
          "unseen_peers, storage_lost, failback, notify, make_room, seat_file, monitor_commands, "
          "max_hosts_lost, max_percent_lost, peers_needed, fences_per_hour, starts_per_host, "
          "starts_at_once, start_attempts, moves_at_once, balance_tolerance, survive, "
          "vcpus_per_cpu, restart_limit, restarts_elsewhere, cool_down, quiet_time, look_time, "
          "record_max_age, settle_time, answer_time, fence_time, start_time, observe_time, "
          "peer_time, "
          "move_time, disarmed_max, maintenance_time, restart_window, restart_pause, hang_time, "
          "on_crash, on_hang, on_shutdown, on_io_error"}},
        {sound + "[policy]\nlook_time = 400\nfence_time = \"5 parsecs\"\nstart_time = \"3h\"\n",
         {"23:13: policy.look_time: 400 was found; a time in quotes with its unit, such as "
          "\"400ms\", would be right",
          "24:14: policy.fence_time: \"5 parsecs\" was found; a time in quotes with its unit, such "
          "as \"1min\", would be right",
          "25:14: policy.start_time: 3h is out of range; 100ms to 1h would be right"}},
        {sound + "[policy]\nstarts_per_host = \"4\"\nstart_attempts = 1.5\nmax_hosts_lost = 0\n",
         {"23:19: policy.starts_per_host: \"4\" was found; a whole number without quotes would be "
          "right",
          "24:18: policy.start_attempts: a number with a point was found; a whole number without "
          "quotes would be right",
          "25:18: policy.max_hosts_lost: 0 is out of range; 1 to 1000 would be right"}},
        {sound + "[policy]\nstarts_per_host = 99999999999\n",
         {"23:19: policy.starts_per_host: 99999999999 was found; a whole number without quotes "
          "would be right"}},
        {sound +
             "[policy]\nwitnesses = \"10.0.0.9\"\nunseen_peers = \"ask\"\nnotify = [\"mail\"]\n",
         {"23:13: policy.witnesses: \"10.0.0.9\" was found; a list of addresses such as "
          "[\"10.0.0.254\"] would be right",
          "24:16: policy.unseen_peers: \"ask\" was found; \"refuse\" or \"trust-record\" would be "
          "right",
          "25:11: policy.notify[0]: \"mail\" was found; the command's absolute path would be "
          "right"}},
        {sound + "[policy]\nwitnesses = [\"a\", 7]\nwitnesses_needed = 3\n",
         {"23:19: policy.witnesses[1]: 7 was found; a text in quotes would be right",
          "24:20: policy.witnesses_needed: 3 witnesses are needed, but 2 are listed; 1 to 2 would "
          "be right"}},
        {sound + "[cluster]\nname = \"a b\"\nstate_dir = \"state\"\n",
         {"23:8: cluster.name: \"a b\" is no valid name; at most 64 of A-Z a-z 0-9 . _ - and a "
          "letter or digit first would be right",
          "24:13: cluster.state_dir: \"state\" is no absolute path; such as "
          "\"/var/lib/domkeeper\" would be right"}},
        {"cluster = 1\n" + sound,
         {"1:11: cluster: 1 was found; a section [cluster] would be right"}},
        {"host = 1\n",
         {"1:8: host: 1 was found; sections [[host]] in double brackets would be "
          "right"}},
        {"[host]\nname = \"xen1\"\n",
         {"1:1: host: a table was found; sections [[host]] in double brackets would be right"}},
        {"domain = [1]\n" + sound.substr(0, sound.find("[[domain]]")),
         {"1:11: domain[0]: 1 was found; a section [[domain]] would be right"}},
        {sound + "[[host]]\n",
         {"22:1: host[2].name: is missing; a name such as \"xen1\" would be right",
          "22:1: host[2].address: is missing; an IP address or a host name would be right",
          "22:1: host[2].uri: is missing; a libvirt connection URI such as "
          "\"qemu+tls://xen1/system\" would be right"}},
        {replaced(sound, "\"10.0.0.1\"", "\"\""),
         {"3:11: host.xen1.address: \"\" was found; an IP address or a host name would be right"}},
        {replaced(sound, "name = \"xen2\"", "name = \"xen1\""),
         {"7:8: host.xen1.name: there is another host \"xen1\"; each name may be used once"}},
        {replaced(sound, "10.0.0.2/system", "10.0.0.1/system"),
         {"9:7: host.xen2.uri: \"qemu+tcp://10.0.0.1/system\" is that of host \"xen1\" already; "
          "each host needs its own"}},
        {replaced(sound, "qemu+tcp://10.0.0.1", "quem+tcp://10.0.0.1"),
         {"4:7: host.xen1.uri: driver \"quem\" is not known; there are qemu, xen, lxc, ch, bhyve, "
          "test"}},
        {replaced(sound, "fence = [[\"bmc-xen1\"]]", "fence = [\"bmc-xen1\"]\nmemory = \"2GB\""),
         {"5:10: host.xen1.fence[0]: \"bmc-xen1\" was found; a list of levels, each a list of "
          "devices, such as [[\"bmc-xen1\"], [\"pdu-a\", \"pdu-b\"]], would be right",
          "6:10: host.xen1.memory: \"2GB\" was found; a size in quotes with its unit (KiB, MiB, "
          "GiB, TiB), such as \"64GiB\", would be right"}},
        {replaced(sound, "[[\"bmc-xen2\"]]", "[[\"bmc-xen3\", 1], []]"),
         {"10:11: host.xen2.fence[0][0]: there is no device \"bmc-xen3\"; did you mean "
          "\"bmc-xen1\"?",
          "10:23: host.xen2.fence[0][1]: 1 was found; a text in quotes would be right",
          "10:27: host.xen2.fence[1]: this level has no device; at least one would be right"}},
        {replaced(sound, "[[\"bmc-xen2\"]]", "[[\"bmc-xen1\"]]"),
         {"10:11: host.xen2.fence[0][0]: device \"bmc-xen1\" fences host \"xen1\" already; "
          "describe it a second time under another name with the plug of this host"}},
        {replaced(sound, "ip = \"10.0.0.102\"", "ip = \"10.0.0.101\""),
         {"10:11: host.xen2.fence[0][0]: device \"bmc-xen2\" has the same address and plug as "
          "\"bmc-xen1\" of host \"xen1\"; each host needs a plug of its own"}},
        {replaced(sound, "agent = \"fence_ipmi\"", "agent = \"fence_ipmo\""),
         {"13:9: device.bmc-xen1.agent: \"fence_ipmo\" was found; one of fence_ipmi, fence_pdu, "
          "fence_aoe, fence_iscsi, or the path of an agent in /usr/sbin would be right"}},
        {replaced(sound, "ip = \"10.0.0.101\"",
                  "ipport = 70000\nusrname = \"x\"\npassword = \"hunter2\"\nprivlvl = [1]\n"
                  "timeout = \"x\"\npassword_file = \"x\""),
         {"11:1: device.bmc-xen1.ip: is missing; an IP address or a host name would be right",
          "14:10: device.bmc-xen1.ipport: 70000 was found; a port from 1 to 65535 would be right",
          "15:1: device.bmc-xen1.usrname: unknown key; did you mean \"username\"?",
          "16:1: device.bmc-xen1.password: no secret stands in this file; put it into a file of "
          "mode 0600 and name that in password_file",
          "17:11: device.bmc-xen1.privlvl: a list was found; a plain value would be right",
          "18:11: device.bmc-xen1.timeout: \"x\" was found; a time such as \"20s\", at most a day "
          "would be right",
          "19:17: device.bmc-xen1.password_file: \"x\" was found; an absolute path would be "
          "right"}},
        {sound + "hosts = [\"xen1\", \"xen7\", \"xen1\"]\nrestart = \"yes\"\nexpect = true\n",
         {"22:18: domain.web1.hosts[1]: there is no host \"xen7\"; did you mean \"xen1\"?",
          "22:26: domain.web1.hosts[2]: host \"xen1\" stands twice",
          "23:11: domain.web1.restart: \"yes\" was found; \"always\" or \"never\" would be right",
          "24:10: domain.web1.expect: true was found; \"running\", \"off\" or \"any\" would be "
          "right"}},
        {replaced(sound, "priority = 5", "priority = 2000000\nhosts = []"),
         {"21:12: domain.web1.priority: 2000000 is out of range; -1000000 to 1000000 would be "
          "right",
          "22:9: domain.web1.hosts: a list was found; a list of hosts such as [\"xen1\", "
          "\"xen2\"] (leave it out for all hosts) would be right"}},
        {sound + "[[domain]]\nname = \"a\\u001bb\"\n",
         {"23:8: domain[1].name: \"a?b\" is no valid name; at most 64 of A-Z a-z 0-9 . _ - and a "
          "letter or digit first would be right"}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(problems_of(c.text) == c.problems);
    }
}

TEST_CASE("cluster file: warnings do not stop anybody") {
    const LoadedConfig loaded =
        read_text(sound +
                  "hosts = [\"xen1\"]\n[[device]]\nname = \"spare\"\nagent = \"fence_ipmi\"\n"
                  "ip = \"10.0.0.103\"\n[policy]\nmax_hosts_lost = 2\n");
    CHECK(loaded.problems.empty());
    const auto warnings = lines(loaded.warnings);
    REQUIRE(warnings.size() == 4);
    CHECK(warnings[0] ==
          "22:9: domain.web1.hosts: domain \"web1\" may run on one host only: it "
          "can't be started elsewhere");
    CHECK(warnings[1] == "24:8: device.spare.name: no host uses device \"spare\"");
    CHECK_THAT(warnings[2], StartsWith("27:1: policy.witnesses: no witnesses: a monitor that"));
    CHECK_THAT(warnings[3], StartsWith("28:18: policy.max_hosts_lost: 2 of 2 hosts may be lost"));
}

TEST_CASE("cluster file: what is no TOML is said with its place") {
    struct Case {
        const char* text;
        const char* start;
    };
    const Case cases[] = {
        {"[cluster\n", "1:9: no valid TOML: "},
        {"a = 1\n[[^host]]\n", "2:3: no valid TOML: the name of a section begins with a letter"},
        {"[\n", "1:2: no valid TOML: "},
        {"[cluster]\nname = demo\n", "2:8: no valid TOML: "},
        {"[cluster]\nname = \"a\"\nname = \"b\"\n", "3:"},
        {"a = \"\xFF\xFE\"\n", "1:5: no valid TOML: "},
        {"a = \"b\n", "1:"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        const auto problems = problems_of(c.text);
        REQUIRE(problems.size() == 1);
        CHECK_THAT(problems[0], StartsWith(c.start));
        CHECK_THAT(problems[0], Contains("no valid TOML: "));
        CHECK(printable(problems[0], 4096) == problems[0]);
    }
    CHECK_FALSE(problems_of(std::string("a = 1\n\0b = 2\n", 13)).empty());
    CHECK_FALSE(problems_of("a = " + std::string(100'000, '[')).empty());
}

TEST_CASE("cluster file that can't be read") {
    const Scratch scratch;
    const auto problem_of = [&](const std::string& path) {
        const auto problems = read_config(path).problems;
        REQUIRE(problems.size() == 1);
        return render_problem(problems[0]);
    };
    const std::string path = scratch.path("c.toml");
    CHECK(problem_of(path) == path + ": can't be read: No such file or directory");
    CHECK(problem_of(scratch.path("")) ==
          scratch.path("") + ": is a directory, not a cluster file");
    scratch.write("c.toml", std::string((1 << 20) + 1, '#'));
    CHECK(problem_of(path) == path + ": is larger than 1 MiB: that is no cluster file");
    scratch.write("c.toml", sound, 0602);
    CHECK(problem_of(path) == path + ": can be written by everybody: refused; chmod o-w it");
    const std::string fifo = scratch.path("fifo");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(problem_of(fifo) == fifo + ": is no regular file");
    CHECK_THAT(problem_of("/dev/null"), StartsWith("/dev/null: is no regular file"));
    scratch.write("c.toml", std::string(1 << 20, '#'));
    CHECK_THAT(problem_of(path), Contains("there is no host"));

    scratch.write("c.toml", sound, 0200);
    REQUIRE(chmod(scratch.path("").c_str(), 0755) == 0);
    const bool root = geteuid() == 0;
    if (root) REQUIRE(seteuid(65534) == 0);
    const auto denied = read_config(path).problems;
    if (root) REQUIRE(seteuid(0) == 0);
    REQUIRE(denied.size() == 1);
    CHECK(render_problem(denied[0]) == path + ": can't be read: Permission denied");
}

TEST_CASE("cluster file: secrets files are looked at, for check-config alone") {
    const Scratch scratch;
    const std::string secret = scratch.path("secret");
    const std::string file = scratch.write(
        "c.toml", replaced(sound, "ip = \"10.0.0.101\"",
                           "ip = \"10.0.0.101\"\npassword_file = \"" + secret + "\""));
    const auto only = [&] {
        const auto problems = lines(read_config(file).problems);
        REQUIRE(problems.size() == 1);
        return problems[0];
    };
    CHECK_THAT(only(),
               StartsWith("15:17: device.bmc-xen1.password_file: ") && Contains("No such file"));
    scratch.write("secret", "hunter2\n", 0644);
    CHECK_THAT(only(), Contains("has mode 0644") && !Contains("hunter2"));
    CHECK_NOTHROW(load_inventory(file));
    scratch.write("secret", "hunter2\n", 0600);
    CHECK(read_config(file).problems.empty());
}

TEST_CASE("load_inventory gives the first mistake, the count and the way to all") {
    const Scratch scratch;
    const std::string file = scratch.write("c.toml", sound + "x = 1\ny = 1\nz = 1\n");
    CHECK_THROWS_AS(load_inventory(file), UsageError);
    CHECK_THROWS_WITH(
        load_inventory(file),
        file +
            ":22:1: domain.web1.x: unknown key; known are name, priority, class, "
            "restart, expect, move, answers, start_delay, hosts, prefer, apart, "
            "rather_apart, together, rather_together, needs, after, on_crash, on_hang, "
            "on_shutdown, on_io_error; and 2 more mistakes; see "
            "domkeeper check-config");
    CHECK_THROWS_WITH(load_inventory(scratch.path("none")),
                      scratch.path("none") + ": can't be read: No such file or directory");
    scratch.write("c.toml", sound);
    CHECK(load_inventory(file).hosts.size() == 2);
}

TEST_CASE("config_path: option, environment, default") {
    REQUIRE(unsetenv("DOMKEEPER_CONFIG") == 0);
    CHECK(config_path("/x") == "/x");
    CHECK(config_path("") == "/etc/domkeeper/domkeeper.toml");
    REQUIRE(setenv("DOMKEEPER_CONFIG", "/env", 1) == 0);
    CHECK(config_path("") == "/env");
    CHECK(config_path("/x") == "/x");
    REQUIRE(setenv("DOMKEEPER_CONFIG", "", 1) == 0);
    CHECK(config_path("") == "/etc/domkeeper/domkeeper.toml");
    REQUIRE(unsetenv("DOMKEEPER_CONFIG") == 0);
}

TEST_CASE("the example cluster file lacks nothing but its secrets") {
    const Scratch scratch;
    std::ifstream file("contrib/domkeeper.toml.example");
    REQUIRE(file);
    std::ostringstream text;
    for (std::string line; std::getline(file, line);)
        text << (line.find("password_file") == 0 ? replaced(line, "/etc", scratch.path("")) : line)
             << "\n";
    const LoadedConfig loaded = read_config(scratch.write("c.toml", text.str()));
    REQUIRE(loaded.problems.size() == 3);
    for (const ConfigProblem& problem : loaded.problems) {
        CHECK_THAT(problem.key, Contains(".password_file"));
        CHECK_THAT(problem.text, Contains("No such file"));
    }
    CHECK(lines(loaded.warnings) == std::vector<std::string>{});
    CHECK(loaded.inventory.hosts.size() == 3);
    // It shows the defaults where it says so.
    const Policy usual;
    for (const auto member : {&Policy::look_time, &Policy::observe_time, &Policy::fence_time,
                              &Policy::start_time, &Policy::settle_time, &Policy::record_max_age})
        CHECK(loaded.inventory.policy.*member == usual.*member);
}
