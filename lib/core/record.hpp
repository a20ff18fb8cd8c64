// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/core/domain.hpp"
#include "lib/core/offers.hpp"
#include "lib/core/time.hpp"

namespace domkeeper {

/// Where a domain was last seen active, and how to start it again.
struct DomainRecord {
    std::string name;
    std::string uuid;
    std::string host;
    DomainState state = DomainState::Unknown;
    Bytes memory;  ///< its maximum, which is what a host must have room for
    int vcpus = 0;
    bool persistent = true;
    TimePoint seen;
    std::string xml;  ///< empty: the definition could not be read
};

/// When a host was last read in full.
struct HostRecord {
    std::string host;
    TimePoint seen;
    Bytes memory_total;
    std::optional<Bytes> memory_free;
    std::string hypervisor;
    Labels offers{};  ///< what could be read of it; empty: nothing yet
};

/// What ran where, kept while hosts live, since a dead host can't be asked.
struct ClusterRecord {
    std::vector<HostRecord> hosts;
    std::vector<DomainRecord> domains;

    const HostRecord* find_host(const std::string& host) const;
    const DomainRecord* find_domain(const std::string& name) const;
    /// What was read of that host; none where nothing was.
    Labels offers_of(const std::string& host) const;
};

}  // namespace domkeeper
