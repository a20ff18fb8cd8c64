// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes are a reply or dropped, and a survey that hears them ends, within its bounds.
//
// The input is a frame; after it, told apart by their lengths, come the frames that a survey of two
// targets on two interfaces hears. Of a frame's tag, the survey's own may be put in, or else hardly
// any would be taken for an answer.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "lib/core/aoe_codec.hpp"
#include "lib/core/aoe_survey.hpp"

namespace {

using namespace domkeeper;

void check_reply(std::span<const std::uint8_t> frame) {
    const auto reply = decode_aoe_reply(frame);
    if (!reply) return;
    if (is_aoe_request(frame)) std::abort();
    if (const auto* ata = std::get_if<AoeAtaReply>(&reply->body)) {
        if (!ata->data.empty() && ata->data.data() + ata->data.size() > frame.data() + frame.size())
            std::abort();
        if (const auto identity = decode_identity(ata->data))
            if (identity->sectors >> 48 != 0) std::abort();
    }
    if (reply->error && !std::holds_alternative<std::monostate>(reply->body)) std::abort();
}

void check_survey(std::span<const std::uint8_t> input) {
    const MacAddress one{2, 0, 0, 0, 0, 1};
    const MacAddress two{2, 0, 0, 0, 0, 2};
    AoeSurveyOrder order{.ports = {one, two}, .targets = {{7, 3}, {7, 4}}, .samples = 3};
    if (!input.empty() && (input[0] & 1) != 0) order.targets.clear();
    order.listen_briefly = !input.empty() && (input[0] & 8) != 0;
    Instant now{};
    AoeSurvey survey(order, now);
    std::vector<std::uint32_t> tags;
    std::size_t sent = 0;
    std::size_t heard = 0;
    const auto send = [&] {
        for (const AoeSurvey::Frame& frame : survey.due(now)) {
            ++sent;
            if (frame.bytes.size() < 60 || frame.port > 1 || !is_aoe_request(frame.bytes))
                std::abort();
            tags.push_back(static_cast<std::uint32_t>(frame.bytes[20]) << 24 |
                           static_cast<std::uint32_t>(frame.bytes[21]) << 16 |
                           static_cast<std::uint32_t>(frame.bytes[22]) << 8 | frame.bytes[23]);
        }
    };
    send();
    while (input.size() >= 4 && heard < 64) {
        const std::uint8_t how = input[0];
        const std::size_t length =
            std::min<std::size_t>(input[1] * 256U + input[2], input.size() - 4);
        std::vector<std::uint8_t> frame(input.begin() + 4,
                                        input.begin() + 4 + static_cast<std::ptrdiff_t>(length));
        if ((how & 2) != 0 && frame.size() >= 24 && !tags.empty()) {
            const std::uint32_t tag = tags[tags.size() - 1 - input[3] % tags.size()];
            for (unsigned i = 0; i < 4; ++i)
                frame[20 + i] = static_cast<std::uint8_t>(tag >> (24 - 8 * i));
            const MacAddress& to = (how & 4) != 0 ? two : one;
            std::copy(to.begin(), to.end(), frame.begin());
        }
        input = input.subspan(4 + length);
        ++heard;
        now += std::chrono::microseconds(how * 100);
        survey.take((how & 4) != 0 ? 1 : 0, frame, now);
        send();
    }
    // Silence now: it must come to its end by itself, and soon.
    for (int i = 0; !survey.done(); ++i) {
        const Instant next = survey.next();
        if (i > 10'000 || next == Instant::max()) std::abort();
        if (next > now) now = next;
        send();
    }
    const AoeFacts facts = survey.facts();
    if (facts.paths.size() > heard || facts.malformed + facts.unasked > heard) std::abort();
    for (const AoePath& path : facts.paths)
        if (path.latencies.size() + path.failed_reads > order.samples) std::abort();
    if (sent > 200 * (heard + 2)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> input(data, size);
    check_reply(input);
    check_survey(input);
    return 0;
}
