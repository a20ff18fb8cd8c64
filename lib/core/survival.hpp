// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/core/planner.hpp"
#include "lib/core/record.hpp"

namespace domkeeper {

/// One host and what stands on it, as far as capacity goes.
struct HostLoad {
    std::string host;
    Bytes free;                 ///< room for more domains; negative: more is promised than there is
    std::vector<Want> domains;  ///< those that would have to run elsewhere if the host were lost
    bool open = true;           ///< false: it does not answer, and takes nothing
    Standing standing{};        ///< of an open one
};

/// The loads of all hosts in the cluster file's order; of those without a view as last recorded.
/// Of the active domains those count that a recovery would start elsewhere: listed, with restart =
/// "always".
std::vector<HostLoad> loads_of(const Inventory& inventory,
                               const std::map<std::string, HostView>& views,
                               const ClusterRecord& record);

/// Hosts that are gone together and where their domains would go.
struct Loss {
    std::vector<std::string> lost;
    std::vector<Want> wants;  ///< all that needed a place
    Plan plan;
    std::vector<Stop> stops{};  ///< best-effort domains that would be stopped for others
    /// Of the refused domains the most important one; null when every domain finds its place, but
    /// for best-effort ones and those for which others would be stopped.
    const Refusal* first_refused() const;
    std::size_t refused() const;  ///< how many domains that stands for
};

/// How the recovery would go about it.
struct PlacingManner {
    PackingSearch search{};                ///< empty: the quick ways alone
    MakeRoom make_room = MakeRoom::Never;  ///< whether others may be stopped
    bool thorough = true;                  ///< see pack_quickly()
};

/// Where the domains of the lost hosts, and the `added` ones, would go, as the recovery would place
/// them in that manner. Names that are in no load are ignored.
Loss plan_loss(const std::vector<HostLoad>& loads, const std::vector<std::string>& lost,
               std::vector<Want> added = {}, const PlacingManner& manner = {});

/// The loads after that: the lost hosts are gone, what was placed stands on its new host.
std::vector<HostLoad> loads_after(const std::vector<HostLoad>& loads, const Loss& loss);

/// Whether any so many hosts can be lost at once.
struct Survival {
    std::size_t hosts = 0;      ///< lost at once in each case
    std::size_t cases = 0;      ///< sets of hosts that were tried
    std::size_t failing = 0;    ///< of these, sets after which a domain would stay down
    bool complete = true;       ///< false: there are more sets than were tried
    std::optional<Loss> worst;  ///< of the failing ones, that of the most important domain
};

/// Tries every set of `hosts` open hosts, at most `most_cases` sets, in order. Asking for as many
/// hosts as there are, or more, tries all but one.
Survival survive_any(const std::vector<HostLoad>& loads, std::size_t hosts,
                     const PlacingManner& manner = {}, std::size_t most_cases = 10'000);

/// What `domkeeper what-if` asks.
struct WhatIf {
    std::vector<std::string> without;  ///< hosts taken out for good, before anything else
    std::vector<Want> added;           ///< new domains
    std::vector<std::string> lost;     ///< then these are lost; empty: each open host in turn
    std::size_t survive = 1;           ///< and any so many of them at once
};

struct WhatIfAnswer {
    std::vector<HostLoad> loads;  ///< as they would stand after the changes
    Loss change;                  ///< where the moved and the new domains would go
    std::vector<Loss> losses;     ///< one for `lost`, or one for each open host
    Survival survival;

    /// True when every domain has its place in all of it, as Loss::first_refused() counts.
    bool all_fit() const;
};

WhatIfAnswer answer_what_if(const std::vector<HostLoad>& loads, const WhatIf& question,
                            const PlacingManner& manner = {});

/// "if xen2 were lost, db1 would stay down: needs 2 GiB, the most that is left is 1 GiB on xen1;
/// 1 GiB more there would do". Printable; of a loss with a refusal only.
std::string explain_loss(const Loss& loss);

}  // namespace domkeeper
