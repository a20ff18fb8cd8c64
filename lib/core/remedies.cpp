// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/remedies.hpp"

#include <array>

namespace domkeeper {
namespace {

// A guest that is merely not reached loses its work when it is switched off, so that a hang is
// reported unless somebody wants more.
constexpr std::array<RemedyKey, 4> keys{{
    {"on_crash", &Remedies::crash, Remedy::Restart, Remedy::Restart},
    {"on_hang", &Remedies::hang, Remedy::Report, Remedy::Restart},
    {"on_shutdown", &Remedies::shutdown, Remedy::Restart, Remedy::Restart},
    {"on_io_error", &Remedies::io_error, Remedy::Resume, Remedy::Resume},
}};

}  // namespace

std::span<const RemedyKey> remedy_keys() {
    return keys;
}

std::string_view remedy_name(Remedy remedy) {
    switch (remedy) {
        case Remedy::Restart: return "restart";
        case Remedy::Resume: return "resume";
        case Remedy::Report: return "report";
    }
    return "report";
}

std::optional<Remedy> parse_remedy(const RemedyKey& key, std::string_view text) {
    for (const Remedy remedy : {key.active, Remedy::Report})
        if (text == remedy_name(remedy)) return remedy;
    return std::nullopt;
}

std::string remedy_words(const RemedyKey& key) {
    return "\"" + std::string(remedy_name(key.active)) + "\" or \"report\"";
}

Remedy remedy_for(std::optional<Remedy> Remedies::*member, const Remedies& domain,
                  const Remedies& policy) {
    if (domain.*member) return *(domain.*member);
    if (policy.*member) return *(policy.*member);
    for (const RemedyKey& key : keys)
        if (key.member == member) return key.usual;
    return Remedy::Report;
}

}  // namespace domkeeper
