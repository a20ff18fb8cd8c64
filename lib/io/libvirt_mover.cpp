// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_mover.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/libvirt_migration.hpp"
#include "lib/io/libvirt_opening.hpp"
#include "lib/io/libvirt_sights.hpp"

namespace domkeeper {
namespace {

constexpr int keepalive_seconds = 3;
constexpr Duration look_period{250};
constexpr Duration look_limit{2'000};
constexpr Duration abort_period{1'000};
/// libvirt's call ends by itself after an abort, or once the connection is found dead.
constexpr Duration ending_time{30'000};
/// No byte further for so long: the way between the hosts is broken.
constexpr Duration stall_time{30'000};
/// A host that fell silent since the plan must not hold a move up to its deadline.
constexpr Duration opening_time{30'000};
constexpr Duration shutdown_period{200};

/// For how long the guest may stand still at the end of a live move, by how long the move has
/// taken: short while it may come to its end so, longer when the guest writes too fast for that.
struct Pause {
    Duration after;
    unsigned long long longest_ms;
};
constexpr std::array<Pause, 4> pauses{{{Duration{0}, 100},
                                       {Duration{20'000}, 300},
                                       {Duration{60'000}, 1000},
                                       {Duration{180'000}, 3000}}};

std::string described(const MoveProgress& end) {
    std::string text;
    if (end.done.count > 0) text += ", " + render_bytes(end.done) + " sent";
    if (end.downtime) text += ", stood still for " + render_duration(*end.downtime);
    return text;
}

/// Looks at a migration under way, asks it to end when told so, and waits for its end.
class Watcher {
  public:
    Watcher(LibvirtLink link, LibvirtConnection::Domain domain, const MoveWatch& watch,
            Deadline deadline)
        : link_(std::move(link)), domain_(std::move(domain)), watch_(watch), deadline_(deadline) {}

    /// False: the call did not even end after its abort.
    template <typename Result>
    bool wait(const std::shared_future<Result>& call) {
        Deadline last{deadline_.at + ending_time};
        while (call.wait_for(look_period) != std::future_status::ready) {
            const Instant now = mono_now();
            if (last.passed(now)) return false;
            look(now);
            if (why_.empty()) {
                if (watch_.cancelled && watch_.cancelled())
                    why_ = "it was cancelled";
                else if (deadline_.passed(now))
                    why_ = "it was not done in time";
                else if (now - moved_at_ > stall_time)
                    why_ = "nothing was sent for " + render_duration(stall_time);
            }
            if (why_.empty()) continue;
            last = last.within(asked_at_ == Instant{} ? asked_at_ = now : asked_at_, ending_time);
            if (now >= next_abort_) abort(now);
        }
        return true;
    }
    /// Why it was asked to end; empty: it was not.
    const std::string& why() const { return why_; }

  private:
    void look(Instant now) {
        if (looking_.valid()) {
            if (looking_.wait_for(Duration{0}) != std::future_status::ready) {
                // A domain that does not say how far it is stalls by the clock alone.
                return;
            }
            const auto seen = looking_.get();
            looking_ = {};
            // The driver does not say (libxl knows the time alone), or it is about to end.
            if (!seen || seen->total.count == 0) moved_at_ = now;
            if (seen && seen->done != done_) {
                done_ = seen->done;
                moved_at_ = now;
            }
            if (seen) set_pause(now);
            if (seen && watch_.progress && now >= next_word_) {
                next_word_ = now + look_period * 2;
                watch_.progress(*seen);
            }
        }
        looking_ = start_detached([domain = domain_] { return read_progress(domain, false); });
    }

    /// Where the driver takes it; libxl does not.
    void set_pause(Instant now) {
        if (next_pause_ == pauses.size() || now < began_ + pauses[next_pause_].after) return;
        const unsigned long long longest = pauses[next_pause_++].longest_ms;
        spawn_detached([domain = domain_, longest] {
            virDomainMigrateSetMaxDowntime(domain.get(), longest, 0);
        });
    }

    void abort(Instant now) {
        next_abort_ = now + abort_period;
        spawn_detached([domain = domain_] { virDomainAbortJob(domain.get()); });
    }

    LibvirtLink link_;
    LibvirtConnection::Domain domain_;
    const MoveWatch& watch_;
    Deadline deadline_;
    std::shared_future<std::optional<MoveProgress>> looking_;
    Instant began_ = mono_now();
    std::size_t next_pause_ = 0;
    Instant moved_at_ = mono_now();
    Instant next_word_ = mono_now();
    Instant next_abort_{};
    Instant asked_at_{};
    Bytes done_;
    std::string why_;
};

}  // namespace

/// One connection for each URI, opened at the first call and again when it is found dead.
class LibvirtMover::Links {
  public:
    LibvirtLink open(const Host& host, Deadline deadline) {
        {
            const std::lock_guard lock(mutex_);
            const auto found = links_.find(host.uri);
            if (found != links_.end() && found->second->alive()) return found->second;
        }
        const LibvirtLink link = open_new(host, deadline);
        const std::lock_guard lock(mutex_);
        links_[host.uri] = link;
        return link;
    }

    LibvirtLink open_new(const Host& host, Deadline deadline) const {
        LibvirtOptions options;
        options.keepalive = true;
        options.keepalive_seconds = keepalive_seconds;
        const Instant start = mono_now();
        const LibvirtOpening opening(host.uri, options);
        if (opening.result().wait_until(deadline.at) != std::future_status::ready) {
            opening.give_up();
            throw TimedOut(late_message(shown_uri(host.uri) + ": can't connect", start));
        }
        return opening.result().get();
    }

    /// The next call opens another one.
    void drop(const Host& host, const LibvirtLink& link) {
        link->abandon();
        const std::lock_guard lock(mutex_);
        const auto found = links_.find(host.uri);
        if (found != links_.end() && found->second == link) links_.erase(found);
    }

    /// Runs `work(link)` by the deadline; a link that proves dead or hangs is not used again.
    template <typename Work>
    auto ask(const Host& host, const std::string& doing, Deadline deadline, Work work) {
        const LibvirtLink link = open(host, deadline);
        try {
            return run_bounded(link->shown() + ": " + doing, deadline,
                               [link, work = std::move(work)] { return work(link); });
        } catch (const ConnectionLost&) {
            drop(host, link);
            throw;
        } catch (const TimedOut&) {
            drop(host, link);
            throw;
        }
    }

  private:
    std::mutex mutex_;
    std::map<std::string, LibvirtLink> links_;
};

LibvirtMover::LibvirtMover() : links_(std::make_shared<Links>()) {}
LibvirtMover::~LibvirtMover() = default;

MoveFacts LibvirtMover::facts(const Host& host, const DomainView& domain, Deadline deadline) {
    MoveFacts facts =
        links_->ask(host, "reading domain " + printable(domain.name, 64), deadline,
                    [domain](const LibvirtLink& link) { return read_move_facts(link, domain); });
    facts.host = host.name;
    return facts;
}

std::map<std::string, DeviceSight> LibvirtMover::sights(const Host& host,
                                                        const std::vector<std::string>& devices,
                                                        Deadline deadline) {
    return links_->ask(host, "looking for disks", deadline, [devices](const LibvirtLink& link) {
        return read_device_sights(link, devices);
    });
}

SideState LibvirtMover::look(const DomainRecord& domain, const Host& host, Deadline deadline) {
    try {
        return links_->ask(
            host, "looking for domain " + printable(domain.name, 64), deadline,
            [uuid = domain.uuid](const LibvirtLink& link) { return read_side(link, uuid); });
    } catch (const Error&) {
        return SideState::Unreachable;
    }
}

void LibvirtMover::clean_up(const DomainRecord& domain, const Host& host, CleanUp what,
                            Deadline deadline) {
    links_->ask(host, std::string(clean_up_name(what)), deadline,
                [uuid = domain.uuid, what](const LibvirtLink& link) {
                    clean_up_side(link, uuid, what);
                    return true;
                });
}

std::string LibvirtMover::move(const DomainRecord& domain, const Host& from, const Host& to,
                               MoveWay way, const MoveWatch& watch, Deadline deadline) {
    const Instant began = mono_now();
    const std::string name = printable(domain.name, 64);
    // Connections of its own: on one that two moves shared, only one of them heard of its end.
    const LibvirtLink source = links_->open_new(from, deadline.within(mono_now(), opening_time));
    const LibvirtLink target = links_->open_new(to, deadline.within(mono_now(), opening_time));
    const auto took = [&] {
        return " in " + render_seconds(std::chrono::duration_cast<Duration>(mono_now() - began)) +
               " s";
    };
    if (way == MoveWay::Restart) {
        const auto source_xml = links_->ask(
            from, "reading domain " + name, deadline, [domain](const LibvirtLink& link) {
                const auto found = find_libvirt_domain(link, domain.uuid);
                if (!found) return domain.xml;
                char* const raw = virDomainGetXMLDesc(
                    found.get(), VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
                if (raw == nullptr) link->fail("reading its definition");
                std::string xml(raw);
                std::free(raw);
                return xml;
            });
        if (source_xml.empty()) throw ProtocolError(name + ": its definition is not known");
        links_->ask(from, "shutting down " + name, deadline,
                    [uuid = domain.uuid](const LibvirtLink& link) {
                        shut_down(link, uuid);
                        return true;
                    });
        while (look(domain, from, deadline) != SideState::Absent) {
            if (deadline.passed(mono_now()) || (watch.cancelled && watch.cancelled()))
                throw TimedOut(name + ": it did not shut down when it was asked to");
            std::this_thread::sleep_for(shutdown_period);
        }
        links_->ask(to, "starting " + name, deadline,
                    [source, domain, source_xml](const LibvirtLink& link) {
                        start_moved(source, link, domain, source_xml);
                        return true;
                    });
        return "restarted" + took();
    }

    const auto moved =
        run_bounded(source->shown() + ": looking for domain " + name, deadline, [source, domain] {
            const auto found = find_libvirt_domain(source, domain.uuid);
            if (!found) throw ProtocolError(source->shown() + ": there is no such domain");
            return found;
        });
    DomainView view;
    view.name = domain.name;
    view.uuid = domain.uuid;
    view.memory_max = domain.memory;
    const MoveFacts known = facts(from, view, deadline);
    links_->ask(to, "reading the free memory", deadline,
                [need = known.view.memory_max + known.overhead](const LibvirtLink& link) {
                    check_free_memory(link, need);
                    return true;
                });
    const auto call = start_detached([source, target, uri = to.uri, moved, way] {
        return migrate(source, target, uri, moved, way == MoveWay::Live);
    });
    Watcher watcher(source, moved, watch, deadline);
    if (!watcher.wait(call)) {
        source->abandon();
        target->abandon();
        throw TimedOut(name + ": " + watcher.why() + ", and the move does not end");
    }
    try {
        const Migrated result = call.get();
        std::string end;
        try {
            const auto completed =
                run_bounded("reading the figures", Deadline{mono_now() + look_limit},
                            [there = result.there] { return read_progress(there, true); });
            if (completed) end = described(*completed);
        } catch (const Error&) {
            // The figures are nice to have.
        }
        if (!result.remark.empty()) end += ", " + result.remark;
        return std::string(move_way_name(way)) + took() + end;
    } catch (const Error& error) {
        if (watcher.why().empty()) throw;
        throw ProtocolError(watcher.why() + " (" + error.what() + ")");
    }
}

}  // namespace domkeeper
