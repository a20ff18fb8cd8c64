// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_hypervisor.hpp"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <utility>

#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/libvirt_care.hpp"
#include "lib/io/libvirt_migration.hpp"
#include "lib/io/libvirt_offers.hpp"
#include "lib/io/libvirt_opening.hpp"
#include "lib/io/libvirt_reader.hpp"
#include "lib/io/libvirt_text.hpp"

namespace domkeeper {
namespace {

using ConnectionPtr = std::shared_ptr<LibvirtConnection>;

/// An opening that hangs for so long is left and another one tried: the way may be free again.
constexpr Duration patience{3'000};
constexpr int max_patience_factor = 20;

LibvirtConnection::Domain find_domain(const ConnectionPtr& connection, const std::string& uuid) {
    return find_libvirt_domain(connection, uuid);
}

/// The start itself, on a thread that may be left behind at any point.
struct Start {
    ConnectionPtr connection;
    DomainRecord domain;
    bool here = false;  ///< it ran on this very host, whose definition of it is the one that counts
    std::shared_ptr<std::atomic<bool>> given_up;

    void refuse_active(const LibvirtConnection::Domain& known, const std::string& what) const {
        if (known && virDomainIsActive(known.get()) == 1)
            throw AlreadyActive(connection->shown() + ": " + what + ": it is active here already");
    }

    /// Nobody waits any more: what has not been sent yet must not be sent.
    void stop_if_given_up(const std::string& what) const {
        if (*given_up)
            throw TimedOut(connection->shown() + ": " + what + ": given up before the start");
    }

    /// A state saved here long ago belongs to disks as they were then: resumed on the disks of
    /// today it would ruin them.
    void discard_saved_state(const LibvirtConnection::Domain& defined,
                             const std::string& what) const {
        if (virDomainHasManagedSaveImage(defined.get(), 0) != 1) return;
        if (virDomainManagedSaveRemove(defined.get(), 0) != 0)
            connection->fail(what + ": removing its old saved state");
    }

    void operator()() const {
        const std::string what = "starting domain " + printable(domain.name, 64);
        const LibvirtConnection::Domain known = find_domain(connection, domain.uuid);
        refuse_active(known, what);
        stop_if_given_up(what);
        if (here && known) {
            refuse_saved(connection, known, what);
            if (virDomainCreate(known.get()) != 0) failed(known, what);
            return;
        }
        if (here && domain.persistent)
            throw ProtocolError(connection->shown() + ": " + what +
                                ": there is no such domain here any more");
        if (!domain.persistent) {
            const virDomainPtr created =
                virDomainCreateXML(connection->handle(), domain.xml.c_str(), 0);
            if (created == nullptr) failed(known, what);
            LibvirtConnection::own(connection, created);
            return;
        }
        const virDomainPtr raw = virDomainDefineXML(connection->handle(), domain.xml.c_str());
        if (raw == nullptr) failed(known, "defining domain " + printable(domain.name, 64));
        const LibvirtConnection::Domain defined = LibvirtConnection::own(connection, raw);
        discard_saved_state(defined, what);
        stop_if_given_up(what);
        if (virDomainCreate(defined.get()) == 0) return;
        try {
            failed(defined, what);
        } catch (const ConnectionLost&) {
            throw;
        } catch (const AlreadyActive&) {
            throw;
        } catch (const Error&) {
            // What was never here before must not stay: a definition left behind is a domain that
            // somebody may start by hand while it runs elsewhere.
            if (!known) virDomainUndefineFlags(defined.get(), VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
            throw;
        }
    }

    [[noreturn]] void failed(const LibvirtConnection::Domain& known,
                             const std::string& what) const {
        try {
            connection->fail(what);
        } catch (const ConnectionLost&) {
            throw;
        } catch (const Error&) {
            // Two starts at once: the one that comes second must be told so, not "failed".
            refuse_active(known ? known : find_domain(connection, domain.uuid), what);
            throw;
        }
    }
};

/// Takes a definition away, on a thread that may be left behind at any point.
struct Forgetting {
    ConnectionPtr connection;
    DomainRecord domain;
    std::function<void(const std::string& xml)> keep;
    std::shared_ptr<std::atomic<bool>> given_up;

    void refuse_active(const LibvirtConnection::Domain& found, const std::string& what) const {
        const int active = virDomainIsActive(found.get());
        if (active < 0) connection->fail(what);
        if (active == 1)
            throw AlreadyActive(connection->shown() + ": " + what + ": it is active here");
    }

    void undefine(const LibvirtConnection::Domain& found, const std::string& what) const {
        // Its saved state belongs to disks as they were before. Snapshots are somebody's work: a
        // domain that has some stays.
        constexpr unsigned gentle = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE;
        if (virDomainUndefineFlags(found.get(), gentle | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM) == 0)
            return;
        // Xen's driver does not know the second flag.
        const virErrorPtr error = virGetLastError();
        const bool unknown_flag = error != nullptr && error->code == VIR_ERR_INVALID_ARG;
        if (unknown_flag && virDomainUndefineFlags(found.get(), gentle) == 0) return;
        connection->fail(what);
    }

    int operator()() const {
        const std::string what = "taking the definition of " + printable(domain.name, 64) + " away";
        const LibvirtConnection::Domain found = find_domain(connection, domain.uuid);
        if (!found) return 0;
        refuse_active(found, what);
        int autostart = 0;
        if (virDomainGetAutostart(found.get(), &autostart) == 0 && autostart != 0 &&
            virDomainSetAutostart(found.get(), 0) != 0)
            connection->fail(what + ": turning its autostart off");
        const LibvirtText xml{virDomainGetXMLDesc(found.get(), VIR_DOMAIN_XML_INACTIVE)};
        if (!xml) connection->fail(what);
        if (*given_up) throw TimedOut(connection->shown() + ": " + what + ": given up");
        keep(xml.get());
        refuse_active(found, what);
        if (*given_up) throw TimedOut(connection->shown() + ": " + what + ": given up");
        undefine(found, what);
        return 1;
    }
};

}  // namespace

/// The connection of one hypervisor, shared with the threads that may outlive it.
class LibvirtHypervisor::Link {
  public:
    Link(std::string uri, LibvirtOptions options)
        : uri_(std::move(uri)), shown_(shown_uri(uri_)), options_(options) {}

    /// Up to here a slow opening may still be of use to the next call.
    ~Link() { opening_.give_up(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    LibvirtDepth depth() const { return options_.depth; }
    const std::string& shown() const { return shown_; }

    ConnectionPtr connect(Deadline deadline) {
        LibvirtOpening opening;
        const Instant start = mono_now();
        {
            const std::lock_guard lock(mutex_);
            if (connection_ && connection_->alive()) return connection_;
            connection_ = nullptr;
            if (!opening_.valid() || start >= opened_at_ + patience * hanging_) {
                if (opening_.valid()) {
                    hanging_ = std::min(hanging_ + 1, max_patience_factor);
                    opening_.give_up();
                }
                opened_at_ = start;
                opening_ = LibvirtOpening(uri_, options_);
            }
            opening = opening_;
        }
        if (opening.result().wait_until(deadline.at) != std::future_status::ready)
            throw TimedOut(late_message(shown_ + ": can't connect", start));
        const std::lock_guard lock(mutex_);
        try {
            connection_ = opening.result().get();
            hanging_ = 1;
            opening_ = {};
        } catch (...) {
            opening_ = {};
            throw;
        }
        return connection_;
    }

    /// The next call opens another one; calls under way keep theirs.
    void drop(const ConnectionPtr& connection) {
        connection->abandon();
        const std::lock_guard lock(mutex_);
        if (connection_ == connection) connection_ = nullptr;
    }

    /// Runs `work(connection)`, again on a new connection when the old one proves broken.
    template <typename Work>
    std::invoke_result_t<Work&, const ConnectionPtr&> ask(Deadline deadline, Work work) {
        for (bool again = true;; again = false) {
            const ConnectionPtr connection = connect(deadline);
            try {
                return work(connection);
            } catch (const ConnectionLost&) {
                drop(connection);
                if (!again) throw;
            } catch (const TimedOut&) {
                drop(connection);
                throw;
            }
        }
    }

  private:
    const std::string uri_;
    const std::string shown_;
    const LibvirtOptions options_;
    std::mutex mutex_;
    ConnectionPtr connection_;
    LibvirtOpening opening_;
    Instant opened_at_;
    int hanging_ = 1;
};

LibvirtHypervisor::LibvirtHypervisor(std::string uri, LibvirtOptions options)
    : link_(std::make_shared<Link>(std::move(uri), options)) {}

LibvirtHypervisor::~LibvirtHypervisor() = default;

HostView LibvirtHypervisor::read_host(Deadline deadline) {
    const Instant start = mono_now();
    HostView view = link_->ask(deadline, [&](const ConnectionPtr& connection) {
        return read_libvirt_host(connection, link_->depth(), deadline);
    });
    view.took = std::chrono::duration_cast<Duration>(mono_now() - start);
    return view;
}

DomainDefinition LibvirtHypervisor::read_definition(const std::string& uuid, Deadline deadline) {
    const std::string doing = "reading the definition of " + printable(uuid, 64);
    return link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(
            link_->shown() + ": " + doing, deadline, [connection = open, uuid, doing] {
                const LibvirtConnection::Domain domain = find_domain(connection, uuid);
                if (!domain)
                    throw ProtocolError(connection->shown() + ": " + doing +
                                        ": there is no such domain");
                const LibvirtText xml{virDomainGetXMLDesc(
                    domain.get(), VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)};
                if (!xml) connection->fail(doing);
                const int persistent = virDomainIsPersistent(domain.get());
                if (persistent < 0) connection->fail(doing);
                return DomainDefinition{xml.get(), persistent == 1};
            });
    });
}

Labels LibvirtHypervisor::read_offers(Deadline deadline) {
    const std::string what = link_->shown() + ": reading what it offers";
    return link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(what, deadline,
                           [connection = open] { return domkeeper::read_offers(connection); });
    });
}

void LibvirtHypervisor::start_elsewhere(const DomainRecord& domain, const ProofOfOff& proof,
                                        Deadline deadline) {
    if (proof.host() != domain.host)
        throw UsageError(link_->shown() + ": starting domain " + printable(domain.name, 64) +
                         ": the proof is of " + printable(proof.host(), 64) +
                         " and the domain ran on " + printable(domain.host, 64));
    start(domain, false, deadline);
}

void LibvirtHypervisor::start_over(const DomainRecord& domain, const ProofOfShutOff& proof,
                                   Deadline deadline) {
    if (proof.host() != domain.host || proof.uuid() != domain.uuid)
        throw UsageError(link_->shown() + ": starting domain " + printable(domain.name, 64) +
                         ": the word is of another host or domain");
    start(domain, false, deadline);
}

void LibvirtHypervisor::start_again(const DomainRecord& domain, Deadline deadline) {
    start(domain, true, deadline);
}

void LibvirtHypervisor::start(const DomainRecord& domain, bool here, Deadline deadline) {
    const std::string what = link_->shown() + ": starting domain " + printable(domain.name, 64);
    if (domain.xml.empty() && !(here && domain.persistent))
        throw UsageError(what + ": the record has no definition of it");
    const ConnectionPtr connection = link_->connect(deadline);
    const auto given_up = std::make_shared<std::atomic<bool>>(false);
    try {
        run_bounded(what, deadline, Start{connection, domain, here, given_up});
    } catch (const ConnectionLost& lost) {
        link_->drop(connection);
        throw TimedOut(lost.what() + std::string("; whether it was started is not known"));
    } catch (const TimedOut&) {
        *given_up = true;
        link_->drop(connection);
        throw;
    }
}

void LibvirtHypervisor::stop(const DomainRecord& domain, Deadline deadline) {
    const std::string doing = "stopping domain " + printable(domain.name, 64);
    link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(link_->shown() + ": " + doing, deadline,
                           [connection = open, uuid = domain.uuid, doing] {
                               const auto found = find_domain(connection, uuid);
                               if (!found) return 0;
                               if (virDomainDestroy(found.get()) == 0) return 1;
                               // It may have ended by itself in between.
                               if (virDomainIsActive(found.get()) == 0) return 0;
                               connection->fail(doing);
                           });
    });
}

void LibvirtHypervisor::forget(const DomainRecord& domain,
                               const std::function<void(const std::string& xml)>& keep,
                               Deadline deadline) {
    const std::string what =
        link_->shown() + ": taking the definition of " + printable(domain.name, 64) + " away";
    const auto given_up = std::make_shared<std::atomic<bool>>(false);
    try {
        link_->ask(deadline, [&](const ConnectionPtr& open) {
            return run_bounded(what, deadline, Forgetting{open, domain, keep, given_up});
        });
    } catch (const TimedOut&) {
        *given_up = true;
        throw;
    }
}

void LibvirtHypervisor::resume(const DomainRecord& domain, Deadline deadline) {
    link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(
            link_->shown() + ": letting domain " + printable(domain.name, 64) + " go on", deadline,
            [connection = open, uuid = domain.uuid] {
                resume_domain(connection, uuid);
                return 0;
            });
    });
}

bool LibvirtHypervisor::ask_agent(const DomainRecord& domain, Deadline deadline) {
    return link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(
            link_->shown() + ": asking the agent of domain " + printable(domain.name, 64), deadline,
            [connection = open, uuid = domain.uuid] { return agent_answers(connection, uuid); });
    });
}

void LibvirtHypervisor::keep_off(const DomainRecord& domain, Deadline deadline) {
    link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(
            link_->shown() + ": taking domain " + printable(domain.name, 64) + " out of autostart",
            deadline, [connection = open, uuid = domain.uuid] {
                end_autostart(connection, uuid);
                return 0;
            });
    });
}

OffReading LibvirtHypervisor::read_off(const DomainRecord& domain, Deadline deadline) {
    return link_->ask(deadline, [&](const ConnectionPtr& open) {
        return run_bounded(
            link_->shown() + ": reading domain " + printable(domain.name, 64), deadline,
            [connection = open, uuid = domain.uuid] { return read_off_state(connection, uuid); });
    });
}

std::shared_ptr<Hypervisor> LibvirtHypervisors::at(const Host& host) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Hypervisor>& hypervisor = by_uri_[host.uri];
    if (!hypervisor) hypervisor = std::make_shared<LibvirtHypervisor>(host.uri, options_);
    return hypervisor;
}

}  // namespace domkeeper
