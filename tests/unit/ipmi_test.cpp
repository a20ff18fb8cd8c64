// SPDX-License-Identifier: GPL-3.0-or-later
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "lib/core/error.hpp"
#include "lib/io/ipmi_options.hpp"
#include "lib/io/power_switches.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/unique_fd.hpp"
#include "tests/unit/scratch.hpp"

using namespace domkeeper;
using std::chrono::milliseconds;

namespace {

FenceDevice device(std::map<std::string, std::string> options) {
    options.try_emplace("ip", "127.0.0.1");
    return {"bmc", "fence_ipmi", std::move(options), ""};
}

Deadline in_ms(int ms) {
    return Deadline{real_now().mono + milliseconds(ms)};
}

/// A UDP socket on a loopback port of the system's choice.
struct UdpPort {
    UniqueFd fd{socket(AF_INET, SOCK_DGRAM, 0)};
    std::string port;
    UdpPort() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
        REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port = std::to_string(ntohs(address.sin_port));
    }
};

}  // namespace

TEST_CASE("ipmi options: names of the fence agent API, new and old") {
    IpmiOptions out = parse_ipmi_options(device({{"ipport", "9001"},
                                                 {"login", "fence"},
                                                 {"cipher", "17"},
                                                 {"privlvl", "Operator"},
                                                 {"lanplus", "1"},
                                                 {"power_timeout", "20"},
                                                 {"power-wait", "2"},
                                                 {"plug", "1"},
                                                 {"target", "0x24"},
                                                 {"hexadecimal_kg", "0x0102"}}),
                                         "s3cret");
    CHECK(out.host == "127.0.0.1");
    CHECK(out.port == 9001);
    CHECK(out.username == "fence");
    CHECK(out.password == "s3cret");
    CHECK(out.first.cipher == 17);
    CHECK(out.first.privilege == 3);
    CHECK(out.first.version_2);
    CHECK(out.target == 0x24);
    CHECK(out.k_g.size() == 20);
    CHECK(out.k_g[1] == 2);
    CHECK(out.k_g[2] == 0);
    out = parse_ipmi_options(device({{"lanplus", "0"}, {"auth", "password"}}), "x");
    CHECK_FALSE(out.first.version_2);
    CHECK(out.first.authentication == 4);
    CHECK(parse_ipmi_options({"b", "fence_ipmi", {{"ipaddr", "::1"}}, ""}, "").host == "::1");
}

TEST_CASE("ipmi options: mistakes are refused, with the name and what would be right") {
    const struct {
        std::map<std::string, std::string> options;
        std::string password, says;
    } rows[] = {
        {{{"ip", ""}}, "x", "option ip is missing"},
        {{{"ipport", "0"}}, "x", "ipport: \"0\" is not a number from 1 to 65535"},
        {{{"ipport", "623x"}}, "x", "ipport"},
        {{{"ipport", "65536"}}, "x", "ipport"},
        {{{"cipher", "99"}}, "x", "cipher suite 99"},
        {{{"cipher", "-1"}}, "x", "cipher"},
        {{{"privlvl", "root"}}, "x", "callback, user, operator, administrator"},
        {{{"lanplus", "maybe"}}, "x", "lanplus: \"maybe\" is not 1 or 0"},
        {{{"auth", "sha"}}, "x", "auth"},
        {{{"target", "0x123"}}, "x", "target"},
        {{{"username", "seventeen-letters"}}, "x", "username"},
        {{}, "a-password-of-21-bytes", "20 bytes"},
        {{{"lanplus", "0"}}, "seventeen-letters", "16 bytes"},
        {{{"usrname", "x"}}, "x", "did you mean username?"},
        {{{"hexadecimal_kg", "secretkey"}}, "x", "hexadecimal_kg"},
    };
    for (const auto& row : rows) {
        INFO(row.says);
        try {
            parse_ipmi_options(device(row.options), row.password);
            FAIL_CHECK("accepted");
        } catch (const UsageError& error) {
            const std::string text = error.what();
            CHECK(text.find(row.says) != std::string::npos);
            CHECK(text.find("secretkey") == std::string::npos);
            CHECK(text.find("a-password") == std::string::npos);
        }
    }
}

TEST_CASE("ipmi manners: what is tried after which error") {
    // Error numbers of libfreeipmi's ipmi-api.h.
    const int bad_user = 4, bad_password = 5, privilege = 8, no_cipher = 10, no_version_2 = 12,
              silence = 13;
    const IpmiManner plain;
    CHECK(next_manners(plain, silence, {}).empty());

    auto next = next_manners(plain, privilege, {});
    REQUIRE(next.size() == 1);
    CHECK(next[0].workarounds == 0x10);
    next = next_manners(next[0], privilege, {});
    REQUIRE(next.size() == 1);
    CHECK(next[0].privilege == 3);
    IpmiChoices fixed;
    fixed.privilege = 4;
    CHECK(next_manners({true, 3, 2, 4, 0x10}, privilege, fixed).empty());

    next = next_manners(plain, no_cipher, {});
    REQUIRE(next.size() == 1);
    CHECK(next[0].cipher == 17);
    fixed.cipher = 3;
    CHECK(next_manners(plain, no_cipher, fixed).empty());

    next = next_manners(plain, no_version_2, {});
    REQUIRE(next.size() == 1);
    CHECK_FALSE(next[0].version_2);
    fixed.version_2 = true;
    CHECK(next_manners(plain, no_version_2, fixed).empty());

    CHECK(next_manners(plain, bad_user, {}).size() == 1);
    // A wrong password costs a bounded number of failed logins.
    std::vector<IpmiManner> tried, queue{plain};
    while (!queue.empty()) {
        const IpmiManner manner = queue.back();
        queue.pop_back();
        if (std::find(tried.begin(), tried.end(), manner) != tried.end()) continue;
        tried.push_back(manner);
        for (const IpmiManner& more : next_manners(manner, bad_password, {})) queue.push_back(more);
    }
    CHECK(tried.size() <= 8);
}

TEST_CASE("power switches: opening checks the device and sends nothing") {
    const test::Scratch scratch;
    RealPowerSwitches switches;
    FenceDevice good = device({});
    good.password_file = scratch.write("pw", "s3cret\n");
    CHECK(switches.open(good));
    FenceDevice readable = good;
    readable.password_file = scratch.write("open", "s3cret\n", 0644);
    CHECK_THROWS_AS(switches.open(readable), Denied);
    FenceDevice unknown = good;
    unknown.agent = "fence_teapot";
    CHECK_THROWS_AS(switches.open(unknown), UsageError);
}

TEST_CASE("ipmi switch: silence ends at the deadline, a closed port at once") {
    RealPowerSwitches switches;
    SECTION("silence") {
        const UdpPort silent;
        const auto power = switches.open(device({{"ipport", silent.port}}));
        for (const int ms : {30, 400}) {
            const Instant start = real_now().mono;
            CHECK_THROWS_AS(power->read(in_ms(ms)), TimedOut);
            const auto took = real_now().mono - start;
            CHECK(took >= milliseconds(ms));
            CHECK(took < milliseconds(ms + 150));
        }
    }
    SECTION("refused") {
        std::string port;
        {
            const UdpPort closed;
            port = closed.port;
        }
        const auto power = switches.open(device({{"ipport", port}}));
        const Instant start = real_now().mono;
        CHECK_THROWS_AS(power->read(in_ms(5000)), Unreachable);
        CHECK(real_now().mono - start < milliseconds(500));
    }
    SECTION("garbage") {
        const UdpPort talker;
        const auto power = switches.open(device({{"ipport", talker.port}}));
        std::thread([fd = dup(talker.fd.get())] {
            const UniqueFd own(fd);
            for (int i = 0; i < 3; ++i) {
                char packet[64];
                sockaddr_in from{};
                socklen_t length = sizeof from;
                const ssize_t got = recvfrom(fd, packet, sizeof packet, 0,
                                             reinterpret_cast<sockaddr*>(&from), &length);
                if (got < 0) return;
                sendto(fd, "\x06garbage", 8, 0, reinterpret_cast<sockaddr*>(&from), length);
            }
        }).detach();
        const Instant start = real_now().mono;
        CHECK_THROWS_AS(power->read(in_ms(600)), Error);
        CHECK(real_now().mono - start < milliseconds(900));
    }
    SECTION("unknown name") {
        const auto power = switches.open(device({{"ip", "no..name"}}));
        const Instant start = real_now().mono;
        CHECK_THROWS_AS(power->read(in_ms(300)), Error);
        CHECK(real_now().mono - start < milliseconds(500));
    }
}
