// SPDX-License-Identifier: GPL-3.0-or-later
// The words by which the cluster file calls its choices, both ways.
#include <array>

#include "lib/core/enum_text.hpp"
#include "lib/core/inventory_check.hpp"

namespace domkeeper {

std::string_view restart_policy_name(RestartPolicy restart) {
    switch (restart) {
        case RestartPolicy::Always: return "always";
        case RestartPolicy::Never: return "never";
    }
    return "never";
}

std::string_view expected_name(Expected expect) {
    switch (expect) {
        case Expected::Running: return "running";
        case Expected::Off: return "off";
        case Expected::Any: return "any";
    }
    return "any";
}

std::string_view unseen_peers_name(UnseenPeers unseen) {
    switch (unseen) {
        case UnseenPeers::Refuse: return "refuse";
        case UnseenPeers::TrustRecord: return "trust-record";
    }
    return "refuse";
}

std::string_view storage_lost_name(StorageLost lost) {
    switch (lost) {
        case StorageLost::Evacuate: return "evacuate";
        case StorageLost::Fence: return "fence";
        case StorageLost::Report: return "report";
    }
    return "report";
}

std::string_view failback_name(Failback failback) {
    switch (failback) {
        case Failback::Never: return "never";
        case Failback::Manual: return "manual";
        case Failback::Auto: return "auto";
    }
    return "manual";
}

std::string_view move_policy_name(MovePolicy move) {
    switch (move) {
        case MovePolicy::Live: return "live";
        case MovePolicy::Paused: return "paused";
        case MovePolicy::Restart: return "restart";
        case MovePolicy::Never: return "never";
    }
    return "never";
}

std::optional<RestartPolicy> parse_restart_policy(std::string_view text) {
    return parse_enum(text, std::array{RestartPolicy::Always, RestartPolicy::Never},
                      restart_policy_name);
}
std::optional<Expected> parse_expected(std::string_view text) {
    return parse_enum(text, std::array{Expected::Running, Expected::Off, Expected::Any},
                      expected_name);
}
std::optional<UnseenPeers> parse_unseen_peers(std::string_view text) {
    return parse_enum(text, std::array{UnseenPeers::Refuse, UnseenPeers::TrustRecord},
                      unseen_peers_name);
}
std::optional<StorageLost> parse_storage_lost(std::string_view text) {
    return parse_enum(text,
                      std::array{StorageLost::Evacuate, StorageLost::Fence, StorageLost::Report},
                      storage_lost_name);
}

std::optional<Failback> parse_failback(std::string_view text) {
    return parse_enum(text, std::array{Failback::Never, Failback::Manual, Failback::Auto},
                      failback_name);
}

std::optional<MovePolicy> parse_move_policy(std::string_view text) {
    return parse_enum(
        text,
        std::array{MovePolicy::Live, MovePolicy::Paused, MovePolicy::Restart, MovePolicy::Never},
        move_policy_name);
}

}  // namespace domkeeper
