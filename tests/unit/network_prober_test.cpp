// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/network_prober.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "lib/core/icmp_codec.hpp"
#include "lib/io/ping_socket.hpp"
#include "lib/io/real_scheduler.hpp"
#include "lib/io/unique_fd.hpp"

using namespace domkeeper;
using std::chrono::milliseconds;

namespace {

std::vector<ProbeReport> look(const std::vector<ProbeTarget>& targets, int ms) {
    NetworkProber prober;
    return prober.look(targets, Deadline{real_now().mono + milliseconds(ms)});
}

bool may_ping() {
    return PingSocket(IpVersion::V4).fd() >= 0;
}

/// A TCP socket on 127.0.0.1, listening or closed.
struct TcpPort {
    UniqueFd fd{socket(AF_INET, SOCK_STREAM, 0)};
    int port = 0;
    explicit TcpPort(bool listening) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
        REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port = ntohs(address.sin_port);
        if (listening) REQUIRE(listen(fd.get(), 1) == 0);
    }
};

}  // namespace

TEST_CASE("icmp codec: requests and replies") {
    Echo echo{0x1234, 7, {}};
    echo.cookie[0] = 0xAB;
    echo.cookie[23] = 0x01;
    for (const IpVersion version : {IpVersion::V4, IpVersion::V6}) {
        std::vector<std::uint8_t> packet = encode_echo_request(echo, version);
        CHECK(packet.size() == 32);
        CHECK(packet[0] == (version == IpVersion::V4 ? 8 : 128));
        CHECK_FALSE(decode_echo_reply(packet, version, false));  // a request is no reply
        packet[0] = version == IpVersion::V4 ? 0 : 129;
        if (version == IpVersion::V4) {
            CHECK_FALSE(decode_echo_reply(packet, version, false));  // its checksum is off now
            // The type went down by 8 in the high byte: RFC 1071 sums make that +0x0800.
            const unsigned sum = static_cast<unsigned>(packet[2] << 8 | packet[3]) + 0x0800U;
            const unsigned folded = (sum & 0xFFFF) + (sum >> 16);
            packet[2] = static_cast<std::uint8_t>(folded >> 8);
            packet[3] = static_cast<std::uint8_t>(folded & 0xFF);
        }
        const auto back = decode_echo_reply(packet, version, false);
        REQUIRE(back);
        CHECK(*back == echo);
        for (std::size_t cut = 0; cut < packet.size(); ++cut)
            CHECK_FALSE(decode_echo_reply({packet.data(), cut}, version, false));
        std::vector<std::uint8_t> longer = packet;
        longer.push_back(0);
        CHECK_FALSE(decode_echo_reply(longer, version, false));
        std::vector<std::uint8_t> coded = packet;
        coded[1] = 1;
        CHECK_FALSE(decode_echo_reply(coded, version, false));

        if (version == IpVersion::V6) continue;
        for (const std::size_t words : {5U, 6U, 15U}) {
            std::vector<std::uint8_t> raw(words * 4);
            raw[0] = static_cast<std::uint8_t>(0x40 | words);
            raw.insert(raw.end(), packet.begin(), packet.end());
            CHECK(decode_echo_reply(raw, version, true) == echo);
            for (std::size_t cut = 0; cut < raw.size(); ++cut)
                CHECK_FALSE(decode_echo_reply({raw.data(), cut}, version, true));
            raw[0] = 0x44;  // a header shorter than the shortest
            CHECK_FALSE(decode_echo_reply(raw, version, true));
            raw[0] = static_cast<std::uint8_t>(0x60 | words);
            CHECK_FALSE(decode_echo_reply(raw, version, true));
        }
    }
}

TEST_CASE("prober: this machine answers, at once") {
    const TcpPort open(true);
    const TcpPort closed(false);
    const Instant start = real_now().mono;
    const auto reports = look(
        {{"127.0.0.1", {open.port}}, {"127.0.0.1", {closed.port}}, {"localhost", {closed.port}}},
        5000);
    CHECK(real_now().mono - start < milliseconds(1000));
    REQUIRE(reports.size() == 3);
    for (const ProbeReport& report : reports) {
        CHECK(report.answered);
        CHECK(report.asked);
        const bool known = report.evidence == "ping" || report.evidence.find("tcp ") == 0;
        CHECK(known);
    }
}

TEST_CASE("prober: a refused connection is a sign of life") {
    const TcpPort open(true);
    const TcpPort closed(false);
    if (may_ping()) {
        const auto reports = look({{"127.0.0.2", {}}, {"::1", {}}}, 1000);
        CHECK(reports[0].answered);
        CHECK(reports[0].evidence == "ping");
        // Machines without IPv6 have no ::1: then nothing could be asked.
        CHECK(reports[1].answered == reports[1].asked);
    } else {
        const auto reports = look({{"127.0.0.2", {}}, {"127.0.0.1", {closed.port}}}, 300);
        CHECK_FALSE(reports[0].answered);
        CHECK_FALSE(reports[0].asked);
        CHECK(reports[1].answered);
        CHECK(reports[1].evidence == "tcp " + std::to_string(closed.port) + " refused");
    }
}

TEST_CASE("prober: silence lasts to the deadline; nothing asked is no silence") {
    // A listener whose queue is full swallows connections.
    const TcpPort full(true);
    std::vector<UniqueFd> queue;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(full.port));
    for (int i = 0; i < 4; ++i) {
        queue.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        connect(queue.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    const Instant start = real_now().mono;
    const auto reports = look({{"127.0.0.1", {full.port}},
                               {"", {}},
                               {"no..name", {1}},
                               {"255.255.255.255", {}},
                               {"127.0.0.1", {0}}},
                              300);
    const auto took = real_now().mono - start;
    CHECK(took >= milliseconds(300));
    CHECK(took < milliseconds(500));
    if (!may_ping()) {
        CHECK_FALSE(reports[0].answered);
        CHECK(reports[0].asked);
    }
    CHECK_FALSE(reports[1].asked);
    CHECK_FALSE(reports[1].evidence.empty());
    CHECK_FALSE(reports[2].answered);
    CHECK_FALSE(reports[2].asked);
    CHECK_FALSE(reports[3].answered);
    CHECK_FALSE(reports[3].asked);  // broadcasting is not permitted
    CHECK(reports[4].answered == may_ping());
}

TEST_CASE("prober: of a service only a connection that is taken counts") {
    const TcpPort open(true), closed(false);
    ProbeTarget served{"127.0.0.1", {open.port}}, refused{"127.0.0.1", {closed.port}};
    served.only_tcp = refused.only_tcp = true;
    const auto reports = look({served, refused}, 300);
    CHECK(reports[0].answered);
    CHECK(reports[0].evidence == "tcp " + std::to_string(open.port) + " open");
    CHECK_FALSE(reports[1].answered);
    CHECK(reports[1].asked);
    CHECK_THAT(reports[1].evidence,
               Catch::Matchers::EndsWith("tcp " + std::to_string(closed.port) + " is refused"));
    CHECK_THAT(reports[1].evidence, !Catch::Matchers::Contains("ping"));
}

TEST_CASE("prober: no targets, no time") {
    CHECK(look({}, 1000).empty());
    const auto reports = look({{"127.0.0.1", {9}}}, 0);
    REQUIRE(reports.size() == 1);
}

// Run by tests/lab/prober_test in a network namespace with the addresses it names.
TEST_CASE("in a network namespace: prober", "[.netns]") {
    if (std::getenv("DOMKEEPER_NETNS") == nullptr) {
        WARN("SKIPPED: only in the network namespace that tests/lab/prober_test makes");
        return;
    }
    const Instant start = real_now().mono;
    // 10.9.1.1 is a neighbour that answers, 10.9.1.2 one that is not there (no ARP answer),
    // 10.9.2.1 swallows all. 10.9.3.1 has a route to nowhere, 10.9.4.1 none. Of 10.9.5.1 a router
    // says that it can't be reached. 10.9.6.1 answers no ping and refuses connections.
    const auto reports = look({{"10.9.1.1", {}},
                               {"10.9.1.2", {1}},
                               {"10.9.2.1", {1}},
                               {"10.9.3.1", {1}},
                               {"10.9.4.1", {1}},
                               {"10.9.5.1", {1}},
                               {"10.9.6.1", {2}},
                               {"fd09::1", {}},
                               {"fd09::2", {1}}},
                              4000);
    CHECK(real_now().mono - start >= milliseconds(4000));
    const struct {
        bool answered, asked;
        std::string evidence;
    } expected[] = {
        {true, true, "ping"},
        {false, true, "no answer to 3 pings and 3 TCP connections"},
        {false, true, "no answer to 3 pings and 3 TCP connections"},
        {false, false, ""},
        {false, false, ""},
        {false, true, ""},
        {true, true, "tcp 2 refused"},
        {true, true, "ping"},
        {false, true, ""},
    };
    for (std::size_t i = 0; i < reports.size(); ++i) {
        INFO(i << ": " << reports[i].evidence);
        CHECK(reports[i].answered == expected[i].answered);
        CHECK(reports[i].asked == expected[i].asked);
        if (!expected[i].evidence.empty()) CHECK(reports[i].evidence == expected[i].evidence);
    }
}
