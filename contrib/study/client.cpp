// SPDX-License-Identifier: GPL-3.0-or-later
// One client of the storage study: reads or writes one AoE or iSCSI disk for some seconds, one
// request after another, with the project's own protocol code, and prints one line:
//   BYTES REQUESTS SECONDS P50 P95 P99 MAX RESENT     (latencies in microseconds)
// A request of AoE is cut into frames as the Linux driver cuts it: as many on their way together as
// the target has buffers; what is not answered in time is sent again.
// Usage: client aoe INTERFACE SHELF.SLOT | client iscsi PORTAL TARGET/LUN
//        then: read|write BYTES seq|random START SECONDS     (START: seconds of the monotonic
//        clock)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "lib/core/aoe_codec.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/aoe_network.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_session.hpp"

namespace {

using namespace domkeeper;

constexpr std::uint64_t sector = 512;
constexpr Duration patience{30'000};  ///< a request that takes longer ends the client

/// A disk of either kind.
class Disk {
  public:
    virtual ~Disk() = default;
    virtual std::uint64_t sectors() const = 0;
    /// Blocks until all of it was answered. Throws Error.
    virtual void transfer(bool write, std::uint64_t lba, std::size_t count) = 0;
    virtual std::uint64_t resent() const { return 0; }
};

// ---- AoE --------------------------------------------------------------------------------------

class AoeDisk final : public Disk {
  public:
    AoeDisk(const std::string& interface, const std::string& address)
        : interface_(read_interface(interface)), socket_(PacketSocket::open()) {
        const auto parsed = parse_aoe_address(address);
        if (!parsed) throw UsageError("no AoE address: " + address);
        socket_.listen(aoe_ether_type);
        AoeSurveyOrder order;
        order.targets = {*parsed};
        order.samples = 0;
        const AoeSurveyed found =
            read_aoe(socket_, {interface_}, std::move(order), Deadline{mono_now() + patience});
        if (found.facts.paths.empty() || !found.facts.paths.front().identity)
            throw TimedOut("AoE target " + address + " does not answer");
        const AoePath& path = found.facts.paths.front();
        header_ = {path.mac, interface_.mac, *parsed, 1};
        sectors_ = path.identity->sectors;
        window_ = std::max<std::size_t>(1, path.config.buffers);
        per_frame_ = std::max<std::size_t>(1, std::min<std::size_t>(path.config.max_sectors, 2));
    }

    std::uint64_t sectors() const override { return sectors_; }
    std::uint64_t resent() const override { return resent_; }

    void transfer(bool write, std::uint64_t lba, std::size_t count) override {
        frames_.clear();
        for (std::size_t at = 0; at < count; at += per_frame_)
            frames_.push_back({lba + at, std::min(per_frame_, count - at)});
        by_tag_.clear();
        std::size_t next = 0, open = 0, done = 0;
        const Instant give_up = mono_now() + patience;
        while (done < frames_.size()) {
            const Instant now = mono_now();
            if (now > give_up) throw TimedOut("AoE request without an answer");
            for (; next < frames_.size() && open < window_; ++next, ++open) send(write, next, now);
            Instant wake = give_up;
            for (std::size_t i = 0; i < next; ++i) {
                Frame& frame = frames_[i];
                if (frame.done) continue;
                if (now >= frame.again) {
                    ++resent_;
                    ++frame.tries;
                    send(write, i, now);
                }
                wake = std::min(wake, frame.again);
            }
            socket_.receive(wake, [&](int index, std::span<const std::uint8_t> bytes) {
                if (index != interface_.index || !take(bytes)) return;
                --open;
                ++done;
            });
        }
    }

  private:
    struct Frame {
        std::uint64_t lba;
        std::size_t count;
        bool done = false;
        int tries = 0;
        Instant sent{};
        Instant again{};
    };

    void send(bool write, std::size_t index, Instant now) {
        Frame& frame = frames_[index];
        header_.tag = 0x80000000U | (++tag_ & 0x7FFFFFFFU);
        // The project has no encoder of a write on purpose; a read becomes one here.
        std::vector<std::uint8_t> bytes = encode_aoe_read(header_, frame.lba);
        constexpr std::size_t flags = 24, sector_count = 26, ata_command = 27, data = 36;
        bytes[sector_count] = static_cast<std::uint8_t>(frame.count);
        if (write) {
            bytes[flags] = static_cast<std::uint8_t>(bytes[flags] | 0x01);
            bytes[ata_command] = 0x34;  // WRITE SECTORS EXT
            bytes.resize(std::max<std::size_t>(60, data + frame.count * sector));
            std::fill(bytes.begin() + data, bytes.end(), static_cast<std::uint8_t>(frame.lba));
        }
        by_tag_[header_.tag] = index;
        frame.sent = now;
        frame.again = now + std::min(timeout_ * (1 << std::min(frame.tries, 5)), longest);
        socket_.send(interface_.index, bytes);
    }

    bool take(std::span<const std::uint8_t> bytes) {
        const auto reply = decode_aoe_reply(bytes);
        if (!reply || reply->header.to != interface_.mac) return false;
        const auto found = by_tag_.find(reply->header.tag);
        if (found == by_tag_.end()) return false;
        const auto* ata = std::get_if<AoeAtaReply>(&reply->body);
        if (reply->error || ata == nullptr || ata->failed())
            throw ProtocolError("AoE target refuses a request");
        Frame& frame = frames_[found->second];
        if (frame.done) return false;
        frame.done = true;
        if (frame.tries == 0) {
            // Smoothed as the Linux driver does: four times the usual round trip, bounded.
            const auto took = mono_now() - frame.sent;
            usual_ += (took - usual_) / 8;
            timeout_ = std::clamp<std::chrono::microseconds>(usual_ * 4, shortest, longest);
        }
        return true;
    }

    static constexpr std::chrono::microseconds shortest{20'000}, longest{500'000};

    NetworkInterface interface_;
    PacketSocket socket_;
    AoeHeader header_;
    std::uint64_t sectors_ = 0;
    std::size_t window_ = 1;
    std::size_t per_frame_ = 2;
    std::uint32_t tag_ = 0;
    std::uint64_t resent_ = 0;
    std::chrono::microseconds usual_{1'000}, timeout_{shortest};
    std::vector<Frame> frames_;
    std::unordered_map<std::uint32_t, std::size_t> by_tag_;
};

// ---- iSCSI ------------------------------------------------------------------------------------

class IscsiStudyDisk final : public Disk {
  public:
    IscsiStudyDisk(const std::string& portal, const std::string& unit) {
        IscsiLogin login;
        parse_portal(portal, login);
        const std::size_t slash = unit.rfind('/');
        if (slash == std::string::npos) throw UsageError("write TARGET/LUN");
        login.target = unit.substr(0, slash);
        lun_ = std::atoi(unit.c_str() + slash + 1);
        session_ = std::make_unique<IscsiSession>(login, soon());
        const ScsiReply reply = session_->command(lun_, scsi_read_capacity(), soon());
        const auto capacity = decode_capacity(reply.data);
        if (!capacity || capacity->block_size != sector)
            throw ProtocolError("no disk with blocks of 512 bytes");
        sectors_ = capacity->blocks;
    }

    std::uint64_t sectors() const override { return sectors_; }

    void transfer(bool write, std::uint64_t lba, std::size_t count) override {
        ScsiCommand command;
        command.cdb.resize(16);
        command.cdb[0] = write ? 0x8A : 0x88;  // WRITE (16), READ (16): SBC-3
        for (unsigned i = 0; i < 8; ++i)
            command.cdb[2 + i] = static_cast<std::uint8_t>(lba >> (56 - 8 * i));
        for (unsigned i = 0; i < 4; ++i)
            command.cdb[10 + i] = static_cast<std::uint8_t>(count >> (24 - 8 * i));
        if (write)
            command.data.assign(count * sector, static_cast<std::uint8_t>(lba));
        else
            command.asked = count * sector;
        const ScsiReply reply = session_->command(lun_, command, soon());
        if (!reply.good()) throw ProtocolError("iSCSI target refuses a request: " + reply.text());
    }

  private:
    static Deadline soon() { return Deadline{mono_now() + patience}; }

    std::unique_ptr<IscsiSession> session_;
    std::uint64_t sectors_ = 0;
    int lun_ = 0;
};

// ---- both -------------------------------------------------------------------------------------

double seconds_of(Instant instant) {
    return std::chrono::duration<double>(instant.time_since_epoch()).count();
}

void run(Disk& disk, bool write, std::size_t bytes, bool random, double start, double seconds) {
    const std::size_t count = bytes / sector;
    const std::uint64_t places = disk.sectors() / count;
    if (count == 0 || places == 0) throw UsageError("the disk is too small");
    std::minstd_rand numbers(std::random_device{}());
    std::uniform_int_distribution<std::uint64_t> anywhere(0, places - 1);
    const double wait = start - seconds_of(mono_now());
    if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    const Instant begin = mono_now();
    const double end = start + seconds;
    std::vector<long> took;
    Instant now = begin;
    for (std::uint64_t i = 0; seconds_of(now) < end; ++i) {
        const std::uint64_t place = random ? anywhere(numbers) : i % places;
        disk.transfer(write, place * count, count);
        const Instant after = mono_now();
        took.push_back(static_cast<long>((after - now).count()));
        now = after;
    }
    std::sort(took.begin(), took.end());
    const auto at = [&](double share) {
        if (took.empty()) return 0L;
        return took[std::min(took.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(took.size())))];
    };
    std::printf("%zu %zu %.6f %ld %ld %ld %ld %llu\n", took.size() * bytes, took.size(),
                std::chrono::duration<double>(now - begin).count(), at(0.5), at(0.95), at(0.99),
                took.empty() ? 0L : took.back(), static_cast<unsigned long long>(disk.resent()));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 9) {
        std::fprintf(stderr, "usage: see the head of contrib/study/client.cpp\n");
        return 2;
    }
    try {
        std::unique_ptr<Disk> disk;
        if (std::string(argv[1]) == "aoe")
            disk = std::make_unique<AoeDisk>(argv[2], argv[3]);
        else
            disk = std::make_unique<IscsiStudyDisk>(argv[2], argv[3]);
        run(*disk, std::string(argv[4]) == "write", std::strtoul(argv[5], nullptr, 10),
            std::string(argv[6]) == "random", std::atof(argv[7]), std::atof(argv[8]));
    } catch (const domkeeper::Error& error) {
        std::fprintf(stderr, "client: %s\n", error.what());
        return 1;
    }
}
