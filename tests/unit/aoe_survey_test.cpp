// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/aoe_survey.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>

using namespace domkeeper;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

using Frame = std::vector<std::uint8_t>;

const MacAddress us{2, 0, 0, 0, 0, 1};
const MacAddress us_too{2, 0, 0, 0, 0, 2};

/// A target in memory, and what may go wrong with it.
struct Blade {
    AoeAddress address{7, 3};
    MacAddress mac{2, 0, 0, 0, 1, 1};
    std::size_t port = 0;
    std::uint64_t sectors = 16384;
    std::vector<MacAddress> reserved{};
    std::string config = "e7.3";
    std::function<int(std::size_t)> copies = [](std::size_t) { return 1; };  ///< of the nth answer
    std::function<void(Frame&)> bend = [](Frame&) {};
    std::uint64_t broken_from = ~std::uint64_t{0};
    std::size_t answers = 0;

    void put(Frame& out, std::size_t at, std::uint64_t value, std::size_t size) const {
        for (std::size_t i = 0; i < size; ++i)
            out[at + i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
    }

    std::vector<Frame> answer(const AoeSurvey::Frame& asked) {
        if (asked.port != port) return {};
        const Frame& in = asked.bytes;
        const bool all = in[16] == 0xFF && in[18] == 0xFF;
        if (!all && (in[17] != address.shelf || in[18] != address.slot)) return {};
        if (!all && !std::equal(mac.begin(), mac.end(), in.begin())) return {};
        Frame out(in.begin(), in.begin() + 24);
        std::copy_n(in.begin() + 6, 6, out.begin());
        std::copy(mac.begin(), mac.end(), out.begin() + 6);
        out[14] = 0x18;
        put(out, 16, address.shelf, 2);
        out[18] = address.slot;
        const auto refuse = [&out] {
            out[14] = 0x1C;
            out[15] = 6;
            out.resize(60);
        };
        if (in[19] == 1) {
            out.resize(32 + config.size());
            put(out, 24, 16, 2);
            out[28] = 2;
            out[29] = 0x10;
            out[31] = static_cast<std::uint8_t>(config.size());
            std::copy(config.begin(), config.end(), out.begin() + 32);
        } else if (in[19] == 3) {
            out.resize(26);
            out[25] = static_cast<std::uint8_t>(reserved.size());
            for (const MacAddress& one : reserved) out.insert(out.end(), one.begin(), one.end());
        } else if (in[27] == 0xEC) {
            out.resize(36 + 512);
            out[27] = 0x40;
            out[36 + 167] = 0x04;
            for (std::size_t i = 0; i < 6; ++i)
                out[36 + 200 + i] = static_cast<std::uint8_t>(sectors >> (8 * i));
        } else if (!reserved.empty()) {
            refuse();
        } else {
            std::uint64_t lba = 0;
            for (std::size_t i = 0; i < 6; ++i) lba |= std::uint64_t{in[28 + i]} << (8 * i);
            const bool bad = lba >= std::min(sectors, broken_from);
            out.resize(bad ? 36 : 36 + 512);
            out[27] = bad ? 0x41 : 0x40;
            out[25] = bad ? 0x40 : 0;
        }
        bend(out);
        return std::vector<Frame>(static_cast<std::size_t>(std::max(0, copies(answers++))), out);
    }
};

struct Outcome {
    AoeFacts facts;
    milliseconds took{0};
};

/// Runs a survey in simulated time; answers arrive after 20 us.
Outcome run(AoeSurveyOrder order, std::vector<Blade> blades,
            const std::vector<std::pair<std::size_t, Frame>>& noise = {}) {
    Instant now{};
    now += milliseconds(5000);
    const Instant start = now;
    AoeSurvey survey(std::move(order), now);
    std::vector<std::pair<std::size_t, Frame>> arriving = noise;
    for (int rounds = 0; rounds < 100'000; ++rounds) {
        for (const AoeSurvey::Frame& frame : survey.due(now))
            for (Blade& blade : blades)
                for (Frame& answer : blade.answer(frame))
                    arriving.emplace_back(blade.port, std::move(answer));
        if (survey.done()) break;
        if (arriving.empty()) {
            REQUIRE(survey.next() != Instant::max());
            now = std::max(now + microseconds(1), survey.next());
            continue;
        }
        now += microseconds(20);
        const auto batch = std::move(arriving);
        arriving.clear();
        for (const auto& [port, frame] : batch) survey.take(port, frame, now);
    }
    REQUIRE(survey.done());
    return {survey.facts(), std::chrono::duration_cast<milliseconds>(now - start)};
}

AoeSurveyOrder for_targets(std::vector<AoeAddress> targets) {
    return {.ports = {us}, .targets = std::move(targets)};
}

}  // namespace

TEST_CASE("AoE survey: a target that is well") {
    const Outcome out = run(for_targets({{7, 3}}), {Blade{}});
    REQUIRE(out.facts.paths.size() == 1);
    const AoePath& path = out.facts.paths[0];
    CHECK(path.config.config == "e7.3");
    CHECK(path.config.buffers == 16);
    CHECK(path.identity->sectors == 16384);
    CHECK(path.reserved->empty());
    CHECK(path.latencies == std::vector<microseconds>(10, microseconds(20)));
    CHECK(path.failed_reads == 0);
    CHECK_FALSE(path.silent);
    CHECK(path.lost == 0);
    CHECK(path.doubled == 0);
    CHECK(out.facts.malformed + out.facts.unasked == 0);
    CHECK(out.took == milliseconds(5));  // it listens for a second one
}

TEST_CASE("AoE survey: how long it listens for a second one is a matter of the network") {
    // What it has to ask takes less than that: identify, reservation and a read, 20 us each.
    const struct {
        int answer_us, took_ms;
    } rows[] = {{20, 1}, {99, 1}, {300, 3}, {450, 4}, {499, 4}, {500, 5}, {2'000, 5}};
    for (const auto& row : rows) {
        INFO(row.answer_us);
        AoeSurveyOrder order = for_targets({{7, 3}});
        order.samples = 1;
        order.listen_briefly = true;
        Instant now{};
        AoeSurvey survey(order, now);
        Blade blade;
        const Instant start = now;
        bool first = true;
        while (!survey.done()) {
            for (const AoeSurvey::Frame& frame : survey.due(now))
                for (const Frame& answer : blade.answer(frame)) {
                    now += microseconds(first ? row.answer_us : 20);
                    first = false;
                    survey.take(0, answer, now);
                }
            if (survey.done()) break;
            REQUIRE(survey.next() != Instant::max());
            now = std::max(now, survey.next());
        }
        CHECK(std::chrono::duration_cast<milliseconds>(now - start) == milliseconds(row.took_ms));
        CHECK(survey.facts().paths.at(0).latencies.size() == 1);
    }
    SECTION("a target that is not there yet is waited for as ever") {
        AoeSurveyOrder order = for_targets({{7, 3}, {7, 4}});
        order.listen_briefly = true;
        CHECK(run(order, {Blade{}}).took == milliseconds(1000));
    }
    SECTION("a second card is heard") {
        Blade other;
        other.mac[5] = 9;
        AoeSurveyOrder order = for_targets({{7, 3}});
        order.listen_briefly = true;
        const Outcome out = run(order, {Blade{}, other});
        CHECK(out.facts.paths.size() == 2);
        CHECK(out.took < milliseconds(5));
    }
}

TEST_CASE("AoE survey: nobody there") {
    const Outcome out = run(for_targets({{7, 3}}), {});
    CHECK(out.facts.paths.empty());
    CHECK(out.took == milliseconds(1000));
}

TEST_CASE("AoE survey: whatever answers, and strangers") {
    Blade second;
    second.address = {8, 1};
    second.mac[5] = 9;
    AoeSurveyOrder all{.ports = {us}, .listen = Duration{100}};
    const Outcome found = run(all, {Blade{}, second});
    REQUIRE(found.facts.paths.size() == 2);
    CHECK(found.facts.paths[1].address == AoeAddress{8, 1});
    CHECK(found.facts.paths[0].doubled == 0);  // it is asked twice, so two answers are right
    CHECK(found.took == milliseconds(100));

    const Outcome one = run(for_targets({{7, 3}}), {Blade{}, second});
    CHECK(one.facts.paths.size() == 1);
    CHECK(one.facts.strangers == std::set<AoeAddress>{{8, 1}});
}

TEST_CASE("AoE survey: two cards for one address") {
    Blade twin;
    twin.mac[5] = 9;
    twin.sectors = 99;
    const Outcome out = run(for_targets({{7, 3}}), {Blade{}, twin});
    REQUIRE(out.facts.paths.size() == 2);
    CHECK(out.facts.paths[0].identity->sectors == 16384);
    CHECK(out.facts.paths[1].identity->sectors == 99);
}

TEST_CASE("AoE survey: several interfaces") {
    Blade far;
    far.port = 1;
    far.mac[5] = 7;
    AoeSurveyOrder order{.ports = {us, us_too}, .targets = {{7, 3}}};
    const Outcome both = run(order, {Blade{}, far});
    REQUIRE(both.facts.paths.size() == 2);
    CHECK(both.facts.paths[1].port == 1);
    const Outcome one = run(order, {far});
    REQUIRE(one.facts.paths.size() == 1);
    CHECK(one.facts.paths[0].port == 1);
}

TEST_CASE("AoE survey: lost and doubled frames are counted and change nothing else") {
    Blade lossy;
    lossy.copies = [](std::size_t n) { return n % 3 == 1 ? 0 : 1; };
    const Outcome lost = run(for_targets({{7, 3}}), {lossy});
    REQUIRE(lost.facts.paths.size() == 1);
    CHECK(lost.facts.paths[0].latencies.size() == 10);
    CHECK(lost.facts.paths[0].lost > 3);
    CHECK(lost.facts.paths[0].doubled == 0);

    Blade first;
    first.copies = [](std::size_t n) { return n == 0 ? 0 : 1; };
    CHECK(run(for_targets({{7, 3}}), {first}).facts.paths[0].lost == 1);

    Blade twice;
    twice.copies = [](std::size_t) { return 2; };
    const Outcome doubled = run(for_targets({{7, 3}}), {twice});
    CHECK(doubled.facts.paths[0].doubled >= 12);
    CHECK(doubled.facts.paths[0].lost == 0);
    CHECK(doubled.facts.paths[0].latencies.size() == 10);
}

TEST_CASE("AoE survey: falls silent on the way") {
    Blade dying;
    dying.copies = [](std::size_t n) { return n < 6 ? 1 : 0; };
    const Outcome out = run(for_targets({{7, 3}}), {dying});
    REQUIRE(out.facts.paths.size() == 1);
    CHECK(out.facts.paths[0].silent);
    CHECK(out.facts.paths[0].latencies.size() == 3);
    CHECK(out.took >= milliseconds(1000));
    CHECK(out.took < milliseconds(1010));
}

TEST_CASE("AoE survey: refused reads and failing ones") {
    Blade reserved;
    reserved.reserved = {us_too};
    const Outcome out = run(for_targets({{7, 3}}), {reserved});
    CHECK(out.facts.paths[0].refused == AoeError::Reserved);
    CHECK(out.facts.paths[0].reserved == std::vector<MacAddress>{us_too});
    CHECK(out.facts.paths[0].failed_reads == 1);  // asked once: it would be refused again

    Blade worn;
    worn.broken_from = 1;
    const Outcome bad = run(for_targets({{7, 3}}), {worn});
    CHECK(bad.facts.paths[0].failed_reads == 9);
    CHECK(bad.facts.paths[0].latencies.size() == 1);
    CHECK(bad.facts.paths[0].trouble == "sector 16383: ATA error 0x40, unreadable");
}

TEST_CASE("AoE survey: frames that lie are dropped and counted") {
    SECTION("answers to nothing") {
        Blade stray;
        AoeSurvey::Frame asked{0, encode_aoe_config_query({broadcast_mac, us, aoe_everybody, 5})};
        const Outcome out = run(for_targets({{7, 3}}), {Blade{}}, {{0, stray.answer(asked)[0]}});
        CHECK(out.facts.unasked == 1);
        CHECK(out.facts.malformed == 0);
        CHECK(out.facts.paths.size() == 1);
    }
    SECTION("requests of other initiators are none of ours") {
        const Frame asked = encode_aoe_config_query({broadcast_mac, us_too, aoe_everybody, 5});
        const Outcome out = run(for_targets({{7, 3}}), {Blade{}}, {{0, asked}});
        CHECK(out.facts.unasked + out.facts.malformed == 0);
    }
    SECTION("garbage") {
        const Outcome out =
            run(for_targets({{7, 3}}), {Blade{}}, {{0, Frame(7)}, {0, Frame(9000)}});
        CHECK(out.facts.malformed == 2);
        CHECK(out.facts.paths[0].latencies.size() == 10);
    }
    SECTION("a read of half a sector is no read") {
        Blade half;
        half.bend = [](Frame& frame) {
            if (frame.size() > 60 && frame[36 + 167] == 0) frame.resize(36 + 256);
        };
        const Outcome out = run(for_targets({{7, 3}}), {half});
        CHECK(out.facts.paths[0].latencies.empty());
        CHECK(out.facts.paths[0].silent);
        CHECK(out.facts.malformed > 0);
    }
    SECTION("an answer of another kind") {
        Blade liar;
        liar.bend = [](Frame& frame) {
            if (frame[19] == 0) {
                frame[19] = 3;
                frame[25] = 0;
            }
        };
        const Outcome out = run(for_targets({{7, 3}}), {liar});
        CHECK_FALSE(out.facts.paths[0].identity);
        CHECK(out.facts.paths[0].silent);
    }
    SECTION("from another card than the one that was asked") {
        Blade masked;
        masked.bend = [](Frame& frame) {
            if (frame[19] == 0) frame[11] = 0x55;
        };
        const Outcome out = run(for_targets({{7, 3}}), {masked});
        CHECK(out.facts.paths[0].silent);
        CHECK(out.facts.unasked > 0);
    }
}

TEST_CASE("AoE survey: twenty targets take no longer than one") {
    std::vector<Blade> blades(20);
    std::vector<AoeAddress> wanted;
    for (std::size_t i = 0; i < blades.size(); ++i) {
        blades[i].address.slot = static_cast<std::uint8_t>(i);
        blades[i].mac[5] = static_cast<std::uint8_t>(i);
        wanted.push_back(blades[i].address);
    }
    const Outcome out = run(for_targets(wanted), blades);
    CHECK(out.facts.paths.size() == 20);
    CHECK(out.took == milliseconds(5));
}
