// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace domkeeper {

/// What to do about a domain that failed in some way.
enum class Remedy {
    Restart,  ///< start it again
    Resume,   ///< let it go on where it stands
    Report    ///< write it down and tell people
};

/// What the cluster file says for each way to fail. Empty: nothing was said.
struct Remedies {
    std::optional<Remedy> crash{};
    std::optional<Remedy> hang{};
    std::optional<Remedy> shutdown{};
    std::optional<Remedy> io_error{};

    friend bool operator==(const Remedies&, const Remedies&) = default;
};

/// One key of the cluster file about a way to fail.
struct RemedyKey {
    std::string_view key;  ///< "on_crash"
    std::optional<Remedy> Remedies::*member;
    Remedy usual;   ///< where nothing was said
    Remedy active;  ///< the word beside "report"
};

std::span<const RemedyKey> remedy_keys();

std::string_view remedy_name(Remedy remedy);  ///< "restart", "resume", "report"

/// Empty: no word for this key.
std::optional<Remedy> parse_remedy(const RemedyKey& key, std::string_view text);

/// "\"restart\" or \"report\""
std::string remedy_words(const RemedyKey& key);

/// What holds for a domain: its own word, else the policy's, else the usual.
Remedy remedy_for(std::optional<Remedy> Remedies::*member, const Remedies& domain,
                  const Remedies& policy);

}  // namespace domkeeper
