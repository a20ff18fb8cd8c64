// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/iscsi_disk.hpp"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_wire.hpp"
#include "lib/io/resolver.hpp"

namespace domkeeper {
namespace {

/// A target that hangs would take as long again for its farewell.
constexpr Duration farewell{200};
constexpr std::size_t most_lookups = 16;
constexpr std::size_t connects_at_once = 4;

/// Numbers by chance for all readers. The seed is dear (on a virtual machine each costs a trip to
/// its host) and not always needed.
class Chance {
  public:
    std::uint64_t up_to(std::uint64_t last) {
        if (!engine_) engine_.emplace(std::random_device{}());
        return std::uniform_int_distribution<std::uint64_t>(0, last)(*engine_);
    }

  private:
    std::optional<std::minstd_rand> engine_;
};

/// The reading of one LUN: what is under way, and what comes next. It never waits.
class Reader {
  public:
    Reader(const IscsiOrder& order, IscsiQuestions questions, Chance& chance)
        : order_(order), questions_(questions), chance_(chance) {}

    bool over() const { return stage_ == Stage::Over; }
    int fd() const { return wire_->fd(); }
    short events() const { return wire_->events(); }
    /// Before everything else is over there is nothing to be gained by waiting for the farewell.
    Instant last(Deadline deadline) const {
        return stage_ == Stage::LogOut ? std::min(deadline.at, left_at_ + farewell) : deadline.at;
    }

    void begin(const SocketAddress& address) {
        guarded([&] {
            wire_.emplace(order_.login);
            stage_ = Stage::Connect;
            current_ = &wire_->connect(address.text, order_.login.port);
        });
    }
    void fail(const std::string& why) {
        disk_.trouble = why;
        stage_ = Stage::Over;
    }
    void service(short revents) {
        guarded([&] {
            wire_->service(revents);
            go_on();
        });
    }
    /// The deadline has come: whatever is under way is why it ends.
    void give_up() {
        guarded([&] {
            switch (stage_) {
                case Stage::Connect: wire_->judge_connect(*current_); break;
                case Stage::LogIn: wire_->judge_login(*current_); break;
                case Stage::Ask:
                    for (const Question& question : asked_)
                        if (!question.call->done) wire_->reply(*question.call);
                    break;
                case Stage::Read: wire_->reply(*current_); break;
                case Stage::LogOut:
                case Stage::Over: break;
            }
        });
        stage_ = Stage::Over;
    }
    /// Closes its connection; nothing more is to be asked of it than what it read.
    void close() { wire_.reset(); }
    IscsiDisk take() { return std::move(disk_); }

  private:
    enum class Stage { Connect, LogIn, Ask, Read, LogOut, Over };
    enum class Topic { Inquiry, Ready, Capacity, Mode, Keys, Reservation, Ports };
    struct Question {
        Topic topic;
        const IscsiWire::Call* call;
        bool again = false;  ///< was sent a second time, after a unit attention
        bool answered = false;
    };

    template <typename Work>
    void guarded(Work work) {
        try {
            work();
        } catch (const UsageError&) {
            throw;
        } catch (const SystemError&) {
            throw;
        } catch (const Error& error) {
            fail(error.what());
        }
    }

    static ScsiCommand command_of(Topic topic) {
        switch (topic) {
            case Topic::Inquiry: return scsi_inquiry();
            case Topic::Ready: return scsi_test_unit_ready();
            case Topic::Capacity: return scsi_read_capacity();
            case Topic::Mode: return scsi_mode_sense();
            case Topic::Keys: return scsi_read_keys();
            case Topic::Reservation: return scsi_read_reservation();
            case Topic::Ports: return scsi_report_port_groups();
        }
        return scsi_test_unit_ready();
    }

    void ask(Topic topic) {
        asked_.push_back({topic, &wire_->command(order_.lun, command_of(topic))});
    }

    void go_on() {
        const Stage before = stage_;
        switch (stage_) {
            case Stage::Connect:
                if (!current_->done) return;
                wire_->judge_connect(*current_);
                stage_ = Stage::LogIn;
                current_ = &wire_->log_in();
                break;
            case Stage::LogIn:
                if (!current_->done) return;
                wire_->judge_login(*current_);
                stage_ = Stage::Ask;
                for (const Topic topic :
                     {Topic::Inquiry, Topic::Ready, Topic::Capacity, Topic::Mode})
                    ask(topic);
                if (questions_.reservations) {
                    ask(Topic::Keys);
                    ask(Topic::Reservation);
                }
                break;
            case Stage::Ask: take_answers(); break;
            case Stage::Read: take_sample(); break;
            case Stage::LogOut:
                if (current_->done) stage_ = Stage::Over;
                return;
            case Stage::Over: return;
        }
        if (stage_ != Stage::Over) wire_->flush();
        // What was sent may have been the end of the connection.
        if (stage_ != before && stage_ != Stage::Over && stage_ != Stage::LogOut) go_on();
    }

    void take_answers() {
        for (std::size_t i = 0; i < asked_.size(); ++i) {
            if (asked_[i].answered || !asked_[i].call->done) continue;
            const ScsiReply reply = wire_->reply(*asked_[i].call);
            if (reply.is_unit_attention() && !asked_[i].again) {
                asked_[i].again = true;
                asked_[i].call = &wire_->command(order_.lun, command_of(asked_[i].topic));
                continue;
            }
            asked_[i].answered = true;
            take_answer(asked_[i].topic, reply);
        }
        if (std::all_of(asked_.begin(), asked_.end(),
                        [](const Question& question) { return question.answered; }))
            next_sample();
    }

    void take_answer(Topic topic, const ScsiReply& reply) {
        if (reply.sense && reply.sense->asc == scsi_no_such_lun &&
            (reply.sense->key == scsi_illegal_request || topic == Topic::Ready))
            disk_.absent = true;
        if (topic == Topic::Ready && !reply.good() && !disk_.absent) disk_.not_ready = reply.text();
        if (!reply.good()) return;
        switch (topic) {
            case Topic::Inquiry:
                disk_.inquiry = decode_inquiry(reply.data);
                // SPC-4, 6.4.2: a target answers INQUIRY also where there is nothing, and says so.
                if (disk_.inquiry && disk_.inquiry->qualifier != 0) disk_.absent = true;
                if (disk_.inquiry && !disk_.absent && disk_.inquiry->port_groups) ask(Topic::Ports);
                return;
            case Topic::Ready: return;
            case Topic::Capacity: disk_.capacity = decode_capacity(reply.data); return;
            case Topic::Mode: disk_.write_protected = decode_write_protected(reply.data); return;
            case Topic::Keys: disk_.keys = decode_keys(reply.data); return;
            case Topic::Reservation: disk_.reservation = decode_reservation(reply.data); return;
            case Topic::Ports:
                disk_.port_groups =
                    decode_port_groups(reply.data).value_or(std::vector<ScsiPortGroup>());
                return;
        }
    }

    void send_read() {
        read_began_ = mono_now();
        current_ = &wire_->command(order_.lun, scsi_read(block_, disk_.capacity->block_size));
    }

    /// The next read, or the end.
    void next_sample() {
        if (disk_.absent || !disk_.capacity || sample_ >= questions_.samples) {
            stage_ = Stage::Over;
            if (const IscsiWire::Call* call = wire_->log_out()) {
                stage_ = Stage::LogOut;
                left_at_ = mono_now();
                current_ = call;
            }
            return;
        }
        stage_ = Stage::Read;
        // The first and the last tell whether it is as long as it says.
        const std::uint64_t last = disk_.capacity->blocks - 1;
        block_ = sample_ == 0 ? 0 : sample_ == 1 ? last : chance_.up_to(last);
        ++sample_;
        read_again_ = false;
        send_read();
    }

    void take_sample() {
        if (!current_->done) return;
        const ScsiReply reply = wire_->reply(*current_);
        if (reply.is_unit_attention() && !read_again_) {
            read_again_ = true;
            return send_read();
        }
        if (reply.good() && reply.data.size() == disk_.capacity->block_size)
            disk_.latencies.push_back(mono_now() - read_began_);
        else if (disk_.failed_reads++ == 0)
            disk_.read_trouble = "block " + std::to_string(block_) + ": " +
                                 (reply.good() ? "too little came" : reply.text());
        next_sample();
    }

    const IscsiOrder& order_;
    const IscsiQuestions questions_;
    Chance& chance_;
    Stage stage_ = Stage::Connect;
    std::optional<IscsiWire> wire_;
    const IscsiWire::Call* current_ = nullptr;
    std::vector<Question> asked_;
    std::size_t sample_ = 0;
    std::uint64_t block_ = 0;
    bool read_again_ = false;
    Instant read_began_;
    Instant left_at_;
    IscsiDisk disk_;
};

/// The address of each order's host; where there is none, why.
struct Lookup {
    std::optional<SocketAddress> address;
    std::string why;
};

std::vector<Lookup> look_up(const std::vector<IscsiOrder>& orders, Deadline deadline) {
    std::map<std::pair<std::string, int>, Lookup> known;
    std::vector<std::pair<std::string, int>> names;
    for (const IscsiOrder& order : orders) {
        const auto key = std::pair(order.login.host, order.login.port);
        const auto [entry, fresh] = known.try_emplace(key);
        if (!fresh) continue;
        entry->second.address = parse_numeric(key.first, key.second);
        if (!entry->second.address) names.push_back(key);
    }
    const auto found = bounded_walk<SocketAddress>(
        names.size(),
        {.deadline = deadline,
         .item_time = deadline.remaining(mono_now()),
         .lanes = std::min(names.size(), most_lookups),
         .max_late = names.size() + 1},
        [names, deadline](std::size_t i) {
            return resolve(names[i].first, names[i].second, AddressFamily::Any, deadline).front();
        });
    for (std::size_t i = 0; i < names.size(); ++i) {
        Lookup& entry = known[names[i]];
        entry.address = found[i].value;
        entry.why = names[i].first + ": its name could not be looked up in time";
        try {
            if (found[i].error) std::rethrow_exception(found[i].error);
        } catch (const Error& error) {
            entry.why = error.what();
        }
    }
    std::vector<Lookup> out;
    for (const IscsiOrder& order : orders)
        out.push_back(known[std::pair(order.login.host, order.login.port)]);
    return out;
}

/// Those that are under way, in one loop.
class Round {
  public:
    explicit Round(Deadline deadline) : deadline_(deadline) {}

    bool empty() const { return waits_.empty(); }
    void add(Reader& reader) {
        if (reader.over()) return;
        waits_.push_back({reader.fd(), reader.events(), 0});
        readers_.push_back(&reader);
    }
    /// Serves those that are ready, without waiting.
    void serve_ready() {
        if (poll(waits_.data(), waits_.size(), 0) > 0) serve();
    }
    /// Waits until one is ready or has come to its end, and serves.
    void serve_next() {
        const Instant now = mono_now();
        Instant until = Instant::max();
        for (const Reader* reader : readers_) until = std::min(until, reader->last(deadline_));
        const auto left = std::chrono::ceil<Duration>(std::max(until, now) - now);
        const int ready = now >= until
                              ? 0
                              : poll(waits_.data(), waits_.size(),
                                     static_cast<int>(std::min<long>(left.count(), 60'000)));
        if (ready > 0) serve();
        if (ready == 0) end_late(mono_now());
    }

  private:
    void serve() {
        for (std::size_t i = 0; i < waits_.size();) {
            if (waits_[i].revents != 0) {
                readers_[i]->service(waits_[i].revents);
                // The library may have opened another socket.
                if (!readers_[i]->over()) waits_[i] = {readers_[i]->fd(), readers_[i]->events(), 0};
            }
            i = kept(i);
        }
    }
    void end_late(Instant now) {
        for (std::size_t i = 0; i < waits_.size();) {
            if (now >= readers_[i]->last(deadline_)) readers_[i]->give_up();
            i = kept(i);
        }
    }
    /// The place of the next one; one that is over has left its place to it.
    std::size_t kept(std::size_t i) {
        if (!readers_[i]->over()) return i + 1;
        // Now, while others are waited for, and not all of them at the end.
        readers_[i]->close();
        waits_[i] = waits_.back();
        readers_[i] = readers_.back();
        waits_.pop_back();
        readers_.pop_back();
        return i;
    }

    const Deadline deadline_;
    std::vector<pollfd> waits_;
    std::vector<Reader*> readers_;
};

}  // namespace

std::vector<IscsiDisk> read_iscsi_disks(const std::vector<IscsiOrder>& orders,
                                        IscsiQuestions questions, Deadline deadline) {
    const std::vector<Lookup> lookups = look_up(orders, deadline);
    std::vector<std::unique_ptr<Reader>> readers;
    readers.reserve(orders.size());
    Chance chance;
    Round round(deadline);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        readers.push_back(std::make_unique<Reader>(orders[i], questions, chance));
        Reader& reader = *readers.back();
        if (lookups[i].address)
            reader.begin(*lookups[i].address);
        else
            reader.fail(lookups[i].why);
        round.add(reader);
        // The targets work on the first logins while the others are still being connected.
        if (i % connects_at_once == connects_at_once - 1) round.serve_ready();
    }
    while (!round.empty()) round.serve_next();
    std::vector<IscsiDisk> out;
    out.reserve(readers.size());
    for (const auto& reader : readers) out.push_back(reader->take());
    return out;
}

}  // namespace domkeeper
