// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/aoe_survey.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>
#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// First pause before a question is asked again; each is twice as long as the one before.
constexpr Duration first_pause{20};
/// How much later than the slowest first answer a second one is waited for.
constexpr std::chrono::microseconds least_listening{1000};
constexpr int times_slowest = 10;
/// A liar may answer for as many addresses as there are.
constexpr std::size_t most_paths = 4096;
constexpr std::size_t most_heard = 65'536;

/// Splitmix64: a number for each (seed, step) that depends on nothing else.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t step) {
    std::uint64_t z = seed + (step + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

std::string hex(unsigned value) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%02x", value);
    return text;
}

/// ATA-8 ACS: bits of the error register.
std::string ata_error_text(std::uint8_t error) {
    std::string out = "ATA error " + hex(error);
    if ((error & 0x10) != 0) return out + ", no such sector";
    if ((error & 0x40) != 0) return out + ", unreadable";
    if ((error & 0x04) != 0) return out + ", aborted";
    return out;
}

}  // namespace

AoeSurvey::AoeSurvey(AoeSurveyOrder order, Instant start)
    : order_(std::move(order)),
      start_(start),
      // The Linux driver ignores answers to tags with the highest bit (its own lack it).
      first_tag_(0x80000000U | (static_cast<std::uint32_t>(mixed(order_.seed, 0)) & 0x7FF00000U)),
      ports_(order_.ports.size()) {
    std::sort(order_.targets.begin(), order_.targets.end());
    order_.targets.erase(std::unique(order_.targets.begin(), order_.targets.end()),
                         order_.targets.end());
}

bool AoeSurvey::wanted(AoeAddress address) const {
    return order_.targets.empty() ||
           std::binary_search(order_.targets.begin(), order_.targets.end(), address);
}

bool AoeSurvey::all_seen(std::size_t port) const {
    return !order_.targets.empty() && ports_[port].wanted_seen == order_.targets.size();
}

/// When enough was listened for whom else there is.
Instant AoeSurvey::heard_out(std::size_t port) const {
    const Instant longest = start_ + order_.listen;
    if (!order_.listen_briefly || !all_seen(port)) return longest;
    return std::min(longest,
                    start_ + std::max(least_listening, ports_[port].slowest * times_slowest));
}

/// Notes one more attempt and returns its tag.
std::uint32_t AoeSurvey::attempt(Question& question, Attempt attempt, Instant now) {
    if (!question.asked) {
        question.asked = true;
        question.first = now;
        question.pause = first_pause;
    } else {
        question.pause *= 2;
    }
    question.again = now + question.pause;
    attempt.sent = now;
    question.attempts.push_back(attempts_.size());
    attempts_.push_back(attempt);
    return first_tag_ + static_cast<std::uint32_t>(attempts_.size() - 1);
}

std::uint64_t AoeSurvey::sector(const Path& path) const {
    const std::uint64_t sectors = path.facts.identity->sectors;
    // The first and the last tell whether the disk is as long as it says; the rest lie anywhere,
    // so that the target's cache does not answer for its disk.
    if (path.sample == 0) return 0;
    if (path.sample == 1) return sectors - 1;
    return mixed(order_.seed, path.sample) % sectors;
}

std::vector<std::uint8_t> AoeSurvey::encode(const Path& path, std::uint32_t tag) const {
    const AoeHeader header{path.facts.mac, order_.ports[path.facts.port], path.facts.address, tag};
    switch (path.stage) {
        case Stage::Identify: return encode_aoe_identify(header);
        case Stage::Reservation: return encode_aoe_reserve(header, ReserveAction::Read, {});
        case Stage::Read: return encode_aoe_read(header, sector(path));
        case Stage::Over: break;
    }
    return {};
}

std::vector<AoeSurvey::Frame> AoeSurvey::due(Instant now) {
    std::vector<Frame> out;
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        Port& port = ports_[i];
        if (port.over) continue;
        const bool all = order_.targets.empty();
        const Instant end =
            all ? start_ + order_.listen
                : std::max(heard_out(i), all_seen(i) ? start_ : start_ + order_.patience);
        if (now >= end) {
            port.over = true;
            continue;
        }
        const bool enough = all ? port.question.attempts.size() >= 2 : all_seen(i);
        if (port.question.asked && (enough || now < port.question.again)) continue;
        const std::uint32_t tag = attempt(port.question, Attempt{.port = i}, now);
        if (all) port.question.again = start_ + order_.listen / 2;
        out.push_back(
            {i, encode_aoe_config_query({broadcast_mac, order_.ports[i], aoe_everybody, tag})});
    }
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        Path& path = paths_[i];
        if (path.stage == Stage::Over) continue;
        if (path.question.asked && now >= path.question.first + order_.patience) {
            path.facts.silent = true;
            path.stage = Stage::Over;
            continue;
        }
        if (path.question.asked && now < path.question.again) continue;
        const std::uint32_t tag = attempt(
            path.question, Attempt{.port = path.facts.port, .path = i, .stage = path.stage}, now);
        out.push_back({path.facts.port, encode(path, tag)});
    }
    return out;
}

Instant AoeSurvey::next() const {
    Instant at = Instant::max();
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        const Port& port = ports_[i];
        if (port.over) continue;
        if (!port.question.asked) return start_;
        const bool all = order_.targets.empty();
        at = std::min(at, heard_out(i));
        if (!all && !all_seen(i))
            at = std::min(std::max(at, port.question.again),
                          std::max(start_ + order_.patience, start_ + order_.listen));
        if (all && port.question.attempts.size() < 2) at = std::min(at, port.question.again);
    }
    for (const Path& path : paths_) {
        if (path.stage == Stage::Over) continue;
        if (!path.question.asked) return start_;
        at = std::min({at, path.question.again, path.question.first + order_.patience});
    }
    return at;
}

bool AoeSurvey::done() const {
    return std::all_of(ports_.begin(), ports_.end(), [](const Port& p) { return p.over; }) &&
           std::all_of(paths_.begin(), paths_.end(),
                       [](const Path& p) { return p.stage == Stage::Over; });
}

void AoeSurvey::take(std::size_t port, std::span<const std::uint8_t> frame, Instant when) {
    if (port >= ports_.size()) return;
    const auto reply = decode_aoe_reply(frame);
    if (!reply) {
        if (!is_aoe_request(frame)) ++sums_.malformed;
        return;
    }
    const std::uint32_t index = reply->header.tag - first_tag_;
    if (index >= attempts_.size() || attempts_[index].port != port ||
        reply->header.to != order_.ports[port]) {
        ++sums_.unasked;
        return;
    }
    if (attempts_[index].path)
        take_answer(*reply, index, when);
    else
        take_discovery(*reply, index, when);
}

void AoeSurvey::take_discovery(const AoeReply& reply, std::size_t index, Instant when) {
    const auto* config = std::get_if<AoeConfigReply>(&reply.body);
    if (config == nullptr) {
        ++sums_.malformed;
        return;
    }
    const std::size_t number = attempts_[index].port;
    Port& port = ports_[number];
    const AoeAddress address = reply.header.address;
    if (!wanted(address)) {
        if (sums_.strangers.size() < most_paths) sums_.strangers.insert(address);
        return;
    }
    const bool again = port.heard.size() < most_heard &&
                       !port.heard.insert({index, {reply.header.from, address}}).second;
    bool address_known = false;
    for (Path& path : paths_) {
        if (path.facts.port != number || path.facts.address != address) continue;
        address_known = true;
        if (path.facts.mac != reply.header.from) continue;
        if (again) ++path.facts.doubled;
        return;
    }
    if (paths_.size() >= most_paths) return;
    Path path;
    path.facts.port = number;
    path.facts.address = address;
    path.facts.mac = reply.header.from;
    path.facts.config = *config;
    if (!address_known) {
        ++port.wanted_seen;
        port.slowest = std::max(port.slowest, when - start_);
    }
    // In a search for everybody the question is asked twice anyhow.
    if (!order_.targets.empty())
        for (const std::size_t one : port.question.attempts)
            if (one < index) ++path.facts.lost;
    paths_.push_back(std::move(path));
}

void AoeSurvey::take_answer(const AoeReply& reply, std::size_t index, Instant when) {
    Attempt& attempt = attempts_[index];
    Path& path = paths_[*attempt.path];
    if (reply.header.from != path.facts.mac || reply.header.address != path.facts.address) {
        ++sums_.unasked;
        return;
    }
    if (attempt.answered) {
        ++path.facts.doubled;
        return;
    }
    const auto& open = path.question.attempts;
    const auto here = std::find(open.begin(), open.end(), index);
    if (path.stage == Stage::Over || here == open.end()) {
        attempt.answered = true;  // late: its question was answered by a later attempt
        return;
    }
    const bool ata = attempt.stage != Stage::Reservation;
    if (reply.command != (ata ? AoeCommand::Ata : AoeCommand::Reserve)) {
        ++sums_.malformed;
        return;
    }
    if (ata) {
        if (!take_ata(path, reply, when - attempt.sent)) return;
    } else if (const auto* list = std::get_if<AoeReserveReply>(&reply.body)) {
        path.facts.reserved = list->hosts;
    }
    attempt.answered = true;
    path.lost.emplace_back(open.begin(), here);
    advance(path);
}

/// False for an answer that can't be one.
bool AoeSurvey::take_ata(Path& path, const AoeReply& reply, std::chrono::microseconds took) {
    const auto note = [&path](const std::string& text) {
        if (path.facts.trouble.empty()) path.facts.trouble = text;
    };
    const bool reading = path.stage == Stage::Read;
    if (reply.error) {
        note(aoe_error_text(*reply.error));
        path.facts.refused = reply.error;
        if (reading) ++path.facts.failed_reads;
        return true;
    }
    const auto* ata = std::get_if<AoeAtaReply>(&reply.body);
    if (ata == nullptr) {
        ++sums_.malformed;
        return false;
    }
    if (ata->failed()) {
        note((reading ? "sector " + std::to_string(sector(path)) : std::string("identify")) + ": " +
             ata_error_text(ata->error));
        if (reading) ++path.facts.failed_reads;
        return true;
    }
    if (ata->data.size() < 512) {
        ++sums_.malformed;
        return false;
    }
    if (reading)
        path.facts.latencies.push_back(took);
    else
        path.facts.identity = decode_identity(ata->data);
    return true;
}

/// The question was answered: on to the next.
void AoeSurvey::advance(Path& path) {
    path.question = {};
    switch (path.stage) {
        case Stage::Identify: path.stage = Stage::Reservation; return;
        case Stage::Reservation: path.stage = Stage::Read; break;
        case Stage::Read: ++path.sample; break;
        case Stage::Over: return;
    }
    const bool readable = path.facts.identity && path.facts.identity->sectors > 0;
    if (!readable || path.sample >= order_.samples || path.facts.refused) path.stage = Stage::Over;
}

AoeFacts AoeSurvey::facts() const {
    AoeFacts out = sums_;
    for (const Path& path : paths_) {
        AoePath one = path.facts;
        if (path.stage != Stage::Over) one.silent = true;
        for (const auto& attempts : path.lost)
            one.lost += static_cast<std::size_t>(
                std::count_if(attempts.begin(), attempts.end(),
                              [this](std::size_t i) { return !attempts_[i].answered; }));
        out.paths.push_back(std::move(one));
    }
    std::sort(out.paths.begin(), out.paths.end(), [](const AoePath& a, const AoePath& b) {
        return std::tie(a.address, a.port, a.mac) < std::tie(b.address, b.port, b.mac);
    });
    return out;
}

}  // namespace domkeeper
