// SPDX-License-Identifier: GPL-3.0-or-later
// An inventory in its text form.
#include <algorithm>
#include <array>
#include <utility>

#include "lib/core/inventory_check.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// The largest unit that loses nothing.
std::string exact(Bytes bytes) {
    static constexpr std::array<std::pair<int, const char*>, 4> units{
        {{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}}};
    for (const auto& [shift, name] : units)
        if (bytes.count != 0 && bytes.count % (std::int64_t{1} << shift) == 0)
            return std::to_string(bytes.count >> shift) + name;
    return std::to_string(bytes.count) + "B";
}

std::string exact(Duration span) {
    static constexpr std::array<std::pair<int, const char*>, 3> units{
        {{3'600'000, "h"}, {60'000, "min"}, {1000, "s"}}};
    for (const auto& [ms, name] : units)
        if (span.count() != 0 && span.count() % ms == 0)
            return std::to_string(span.count() / ms) + name;
    return std::to_string(span.count()) + "ms";
}

/// `text` as one word, in quotes where it needs them.
std::string written(std::string_view text) {
    if (!text.empty() && text.find_first_of(" \t\r\n\"\\=#,") == std::string_view::npos &&
        std::all_of(text.begin(), text.end(),
                    [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; }))
        return std::string(text);
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append("\\") += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (byte < 0x20 || byte == 0x7F)
            (out.append("\\x") += digits[byte / 16]) += digits[byte % 16];
        else
            out += c;
    }
    return out + "\"";
}

std::string written(const std::vector<std::string>& list) {
    std::vector<std::string> words;
    for (const std::string& element : list) words.push_back(written(element));
    return join(words, ",");
}

std::string render_remedies(const Remedies& remedies) {
    std::string out;
    for (const RemedyKey& key : remedy_keys())
        if (const auto& remedy = remedies.*key.member)
            out.append(" ").append(key.key).append("=").append(remedy_name(*remedy));
    return out;
}

std::string render_policy(const Policy& policy) {
    const Policy usual;
    std::string out;
    for (const auto& number : policy_numbers())
        if (policy.*number.member != usual.*number.member)
            out.append(" ").append(number.key) += "=" + std::to_string(policy.*number.member);
    if (!policy.witnesses.empty()) out += " witnesses=" + written(policy.witnesses);
    if (policy.witnesses_needed)
        out += " witnesses_needed=" + std::to_string(*policy.witnesses_needed);
    for (const auto& limit : policy_spans())
        if (policy.*limit.member != usual.*limit.member)
            out.append(" ").append(limit.key) += "=" + exact(policy.*limit.member);
    if (policy.unseen_peers != usual.unseen_peers)
        out.append(" unseen_peers=").append(unseen_peers_name(policy.unseen_peers));
    if (policy.storage_lost != usual.storage_lost)
        out.append(" storage_lost=").append(storage_lost_name(policy.storage_lost));
    if (policy.failback != usual.failback)
        out.append(" failback=").append(failback_name(policy.failback));
    if (!policy.seat_file.empty()) out += " seat_file=" + written(policy.seat_file);
    if (policy.make_room != usual.make_room)
        out.append(" make_room=").append(make_room_name(policy.make_room));
    if (!policy.notify.empty()) out += " notify=" + written(policy.notify);
    if (!policy.monitor_commands.empty())
        out += " monitor_commands=" + written(policy.monitor_commands);
    out += render_remedies(policy.remedies);
    return out.empty() ? out : "policy" + out + "\n";
}

std::string render_host(const Host& host) {
    std::string out = "host " + host.name;
    if (host.address != host.name) out += " address=" + written(host.address);
    if (!host.uri.empty()) out += " uri=" + written(host.uri);
    if (host.memory) out += " memory=" + exact(*host.memory);
    if (host.reserve.count != 0) out += " reserve=" + exact(host.reserve);
    std::vector<std::string> levels;
    for (const FenceLevel& level : host.fence) levels.push_back(join(level, ","));
    if (!levels.empty()) out += " fence=" + join(levels, "/");
    if (host.vcpus) out += " vcpus=" + std::to_string(*host.vcpus);
    if (!host.offers.empty()) out += " offers=" + written(host.offers);
    return out + "\n";
}

std::string render_device(const FenceDevice& device, const std::string& kind,
                          const std::string& agent_key) {
    std::string out = kind + " " + device.name + " " + agent_key + "=" + written(device.agent);
    if (!device.password_file.empty()) out += " password_file=" + written(device.password_file);
    for (const auto& [key, value] : device.options) out += " " + key + "=" + written(value);
    return out + "\n";
}

std::string render_domain(const Domain& domain) {
    const Domain usual;
    std::string out = "domain " + domain.name;
    if (domain.priority != usual.priority) out += " priority=" + std::to_string(domain.priority);
    for (const DomainList& list : domain_lists())
        if (!(domain.*list.member).empty())
            out.append(" ").append(list.key) += "=" + written(domain.*list.member);
    if (domain.domain_class != usual.domain_class)
        out.append(" class=").append(domain_class_name(domain.domain_class));
    if (domain.start_delay != usual.start_delay) out += " start_delay=" + exact(domain.start_delay);
    if (domain.answers) out += " answers=" + written(render_guest_sign(*domain.answers));
    if (domain.restart != usual.restart)
        out.append(" restart=").append(restart_policy_name(domain.restart));
    if (domain.expect != usual.expect) out.append(" expect=").append(expected_name(domain.expect));
    if (domain.move != usual.move) out.append(" move=").append(move_policy_name(domain.move));
    return out + render_remedies(domain.remedies) + "\n";
}

}  // namespace

std::string render_inventory(const Inventory& inventory) {
    const Inventory usual;
    std::string out;
    if (!inventory.name.empty() || inventory.state_dir != usual.state_dir) {
        out += "cluster";
        if (!inventory.name.empty()) out += " " + written(inventory.name);
        if (inventory.state_dir != usual.state_dir)
            out += " state_dir=" + written(inventory.state_dir);
        out += "\n";
    }
    out += render_policy(inventory.policy);
    for (const Host& host : inventory.hosts) out += render_host(host);
    for (const FenceDevice& device : inventory.devices)
        out += render_device(device, "device", "agent");
    for (const Domain& domain : inventory.domains) out += render_domain(domain);
    for (const StorageNode& storage : inventory.storages)
        out += render_device(storage, "storage", "kind");
    return out;
}

}  // namespace domkeeper
