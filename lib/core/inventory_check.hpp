// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/inventory.hpp"

namespace domkeeper {

/// Something in an inventory that can't be right, or (a warning) that the operator should know.
struct InventoryProblem {
    /// What it is about, by the cluster file's names: "host[1].fence[0][1]", "policy.witnesses".
    std::string path;
    std::string text;  ///< what was found and what would be right; printable
    bool warning = false;
};

/// Everything that is wrong with the values taken together: names, duplicates, references that
/// lead nowhere, two hosts on one plug, numbers out of range. Errors and warnings, in the order
/// cluster, policy, hosts, devices, domains. An empty name of the cluster, address or URI is let
/// pass: whether it must be there is for the reader of the form to say.
std::vector<InventoryProblem> check_inventory(const Inventory& inventory);

/// The same for the storage nodes alone; a part of check_inventory().
std::vector<InventoryProblem> check_storages(const Inventory& inventory);

/// The same for the domains alone; a part of check_inventory().
std::vector<InventoryProblem> check_domains(const Inventory& inventory);

/// Letters, digits, '.', '_' and '-', a letter or digit first, at most 64 bytes: such a name is
/// safe in a table, a file name and a command line.
bool valid_name(std::string_view name);

/// One whole-number limit of the policy and the range that makes sense for it.
struct PolicyNumber {
    std::string_view key;
    int Policy::*member;
    int least;
    int most;
};

/// One time limit of the policy and the range that makes sense for it.
struct PolicySpan {
    std::string_view key;
    Duration Policy::*member;
    Duration least;
    Duration most;
};

std::span<const PolicyNumber> policy_numbers();
std::span<const PolicySpan> policy_spans();

/// All keys of the policy: words and lists, then the numbers, then the spans.
std::vector<std::string> policy_keys();

/// A key of a domain that is a list of names.
struct DomainList {
    std::string_view key;
    std::vector<std::string> Domain::*member;
    std::string_view right;  ///< what would be right
};

std::span<const DomainList> domain_lists();

std::string_view restart_policy_name(RestartPolicy restart);  ///< "always", "never"
std::string_view expected_name(Expected expect);              ///< "running", "off", "any"
std::string_view unseen_peers_name(UnseenPeers unseen);       ///< "refuse", "trust-record"
std::string_view storage_lost_name(StorageLost lost);         ///< "evacuate", "fence", "report"
std::string_view failback_name(Failback failback);            ///< "never", "manual", "auto"
std::string_view move_policy_name(MovePolicy move);   ///< "live", "paused", "restart", "never"
std::string_view domain_class_name(DomainClass c);    ///< "must-run", "normal", "best-effort"
std::string_view make_room_name(MakeRoom make_room);  ///< "never", "stop-best-effort"
std::optional<RestartPolicy> parse_restart_policy(std::string_view text);
std::optional<Expected> parse_expected(std::string_view text);
std::optional<UnseenPeers> parse_unseen_peers(std::string_view text);
std::optional<StorageLost> parse_storage_lost(std::string_view text);
std::optional<Failback> parse_failback(std::string_view text);
std::optional<MovePolicy> parse_move_policy(std::string_view text);
std::optional<DomainClass> parse_domain_class(std::string_view text);
std::optional<MakeRoom> parse_make_room(std::string_view text);

}  // namespace domkeeper
