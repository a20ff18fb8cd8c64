// SPDX-License-Identifier: GPL-3.0-or-later
// The words by which the cluster file calls its choices, both ways.
#include <array>

#include "lib/core/enum_text.hpp"
#include "lib/core/inventory_check.hpp"

namespace domkeeper {

std::vector<std::string> policy_keys() {
    std::vector<std::string> keys{"witnesses",    "witnesses_needed", "unseen_peers",
                                  "storage_lost", "failback",         "notify",
                                  "make_room",    "seat_file",        "monitor_commands"};
    for (const PolicyNumber& number : policy_numbers()) keys.emplace_back(number.key);
    for (const PolicySpan& limit : policy_spans()) keys.emplace_back(limit.key);
    return keys;
}

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

std::string_view domain_class_name(DomainClass c) {
    switch (c) {
        case DomainClass::BestEffort: return "best-effort";
        case DomainClass::Normal: return "normal";
        case DomainClass::MustRun: return "must-run";
    }
    return "normal";
}

std::string_view make_room_name(MakeRoom make_room) {
    switch (make_room) {
        case MakeRoom::Never: return "never";
        case MakeRoom::StopBestEffort: return "stop-best-effort";
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

std::optional<DomainClass> parse_domain_class(std::string_view text) {
    return parse_enum(
        text, std::array{DomainClass::BestEffort, DomainClass::Normal, DomainClass::MustRun},
        domain_class_name);
}

std::optional<MakeRoom> parse_make_room(std::string_view text) {
    return parse_enum(text, std::array{MakeRoom::Never, MakeRoom::StopBestEffort}, make_room_name);
}

std::optional<MovePolicy> parse_move_policy(std::string_view text) {
    return parse_enum(
        text,
        std::array{MovePolicy::Live, MovePolicy::Paused, MovePolicy::Restart, MovePolicy::Never},
        move_policy_name);
}

}  // namespace domkeeper
