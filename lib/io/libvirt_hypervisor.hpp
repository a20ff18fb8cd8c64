// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lib/io/libvirt_connection.hpp"
#include "lib/port/hypervisor.hpp"

namespace domkeeper {

/// A hypervisor behind a libvirt connection URI. The connection is opened at the first call, kept,
/// and opened again once when it is found broken. Calls that the far side leaves unanswered are
/// abandoned at their deadline, on threads that end when libvirt lets go of them: programs end
/// with _exit.
class LibvirtHypervisor : public Hypervisor {
  public:
    explicit LibvirtHypervisor(std::string uri, LibvirtOptions options = {});
    ~LibvirtHypervisor() override;

    HostView read_host(Deadline deadline) override;
    Labels read_offers(Deadline deadline) override;
    DomainDefinition read_definition(const std::string& uuid, Deadline deadline) override;
    /// Throws AlreadyActive when the domain runs here. A connection that breaks in the middle
    /// counts as TimedOut: nobody knows whether the start happened.
    void stop(const DomainRecord& domain, Deadline deadline) override;
    void forget(const DomainRecord& domain, const std::function<void(const std::string& xml)>& keep,
                Deadline deadline) override;
    void start_elsewhere(const DomainRecord& domain, const ProofOfOff& proof,
                         Deadline deadline) override;
    void start_again(const DomainRecord& domain, Deadline deadline) override;
    void resume(const DomainRecord& domain, Deadline deadline) override;
    bool ask_agent(const DomainRecord& domain, Deadline deadline) override;
    void keep_off(const DomainRecord& domain, Deadline deadline) override;
    OffReading read_off(const DomainRecord& domain, Deadline deadline) override;
    void start_over(const DomainRecord& domain, const ProofOfShutOff& proof,
                    Deadline deadline) override;

  private:
    class Link;
    void start(const DomainRecord& domain, bool here, Deadline deadline);
    std::shared_ptr<Link> link_;
};

/// One LibvirtHypervisor for each host of the cluster file.
class LibvirtHypervisors : public Hypervisors {
  public:
    explicit LibvirtHypervisors(LibvirtOptions options = {}) : options_(options) {}
    std::shared_ptr<Hypervisor> at(const Host& host) override;

  private:
    LibvirtOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Hypervisor>> by_uri_;
};

}  // namespace domkeeper
