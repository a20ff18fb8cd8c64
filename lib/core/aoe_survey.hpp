// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/aoe_codec.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// What a survey of AoE targets is to find out. It only reads.
struct AoeSurveyOrder {
    std::vector<MacAddress> ports{};    ///< our own cards, one an interface
    std::vector<AoeAddress> targets{};  ///< empty: whatever answers
    std::size_t samples = 10;           ///< reads of one sector through each path
    Duration listen{5};                 ///< hear at least this long who else answers
    /// Of named targets: no longer than ten times as long as the slowest took for its first answer
    /// (and 1 ms), since a second card that answers for one of them is as far away.
    bool listen_briefly = false;
    Duration patience{1000};  ///< a request without an answer for so long is given up
    std::uint64_t seed = 0;   ///< decides the tags and which sectors are read
};

/// One card of one target, seen through one interface of ours.
struct AoePath {
    std::size_t port = 0;  ///< of the order
    AoeAddress address;
    MacAddress mac{};
    AoeConfigReply config;
    std::optional<AtaIdentity> identity;
    /// Who may use the target; an empty list: everybody. Without value: it did not say.
    std::optional<std::vector<MacAddress>> reserved;
    std::vector<std::chrono::microseconds> latencies;  ///< of the reads that worked
    std::size_t failed_reads = 0;
    std::optional<AoeError> refused;  ///< why the target took no read
    std::string trouble;              ///< the first thing that went wrong, printable
    bool silent = false;              ///< it fell silent on the way
    std::size_t lost = 0;             ///< frames that had to be sent again
    std::size_t doubled = 0;          ///< answers that came more than once
};

struct AoeFacts {
    std::vector<AoePath> paths;      ///< by address, port and MAC; of the wanted targets alone
    std::set<AoeAddress> strangers;  ///< answered too and were not asked for
    std::size_t malformed = 0;       ///< frames dropped: no AoE, cut or lying
    std::size_t unasked = 0;         ///< frames dropped: answers to nothing that was asked
};

/// The conversation with all targets at once, as a value: it says which frames to send and when,
/// takes in what arrives, and never waits. Time must not run backwards.
class AoeSurvey {
  public:
    struct Frame {
        std::size_t port;
        std::vector<std::uint8_t> bytes;
    };

    AoeSurvey(AoeSurveyOrder order, Instant start);

    /// Frames to be sent now.
    std::vector<Frame> due(Instant now);
    /// When due() or done() will change by themselves.
    Instant next() const;
    /// A frame that arrived, of any content.
    void take(std::size_t port, std::span<const std::uint8_t> frame, Instant when);
    /// True when nothing more will be sent. due() must have been called with the present time.
    bool done() const;

    /// What is known so far. Paths that are still being asked count as silent.
    AoeFacts facts() const;

  private:
    enum class Stage { Identify, Reservation, Read, Over };
    /// A question that is sent again, with another tag, until it is answered.
    struct Question {
        Instant first{};
        Instant again{};
        Duration pause{};
        std::vector<std::size_t> attempts;  ///< indices of attempts_
        bool asked = false;
    };
    struct Attempt {
        std::size_t port = 0;
        std::optional<std::size_t> path{};  ///< none: the question to everybody
        Stage stage = Stage::Identify;
        Instant sent{};
        bool answered = false;
    };
    struct Path {
        AoePath facts;
        Stage stage = Stage::Identify;
        Question question;
        std::size_t sample = 0;
        std::vector<std::vector<std::size_t>> lost;  ///< attempts before the one that was answered
    };
    struct Port {
        Question question;
        std::size_t wanted_seen = 0;
        std::chrono::microseconds slowest{0};  ///< of those that were seen, for its first answer
        /// Who answered which attempt, to know an answer that comes twice.
        std::set<std::pair<std::size_t, std::pair<MacAddress, AoeAddress>>> heard;
        bool over = false;
    };

    bool wanted(AoeAddress address) const;
    bool all_seen(std::size_t port) const;
    Instant heard_out(std::size_t port) const;
    std::vector<std::uint8_t> encode(const Path& path, std::uint32_t tag) const;
    std::uint64_t sector(const Path& path) const;
    std::uint32_t attempt(Question& question, Attempt attempt, Instant now);
    void take_discovery(const AoeReply& reply, std::size_t index, Instant when);
    void take_answer(const AoeReply& reply, std::size_t index, Instant when);
    bool take_ata(Path& path, const AoeReply& reply, std::chrono::microseconds took);
    void advance(Path& path);

    AoeSurveyOrder order_;
    Instant start_;
    std::uint32_t first_tag_;
    std::vector<Attempt> attempts_;
    std::vector<Port> ports_;
    std::vector<Path> paths_;
    AoeFacts sums_;  ///< without paths
};

}  // namespace domkeeper
