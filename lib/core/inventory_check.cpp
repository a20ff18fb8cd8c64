// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory_check.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "lib/core/agent_options.hpp"
#include "lib/core/domain_disks.hpp"
#include "lib/core/inventory_hints.hpp"
#include "lib/core/offers.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

using namespace std::chrono_literals;

constexpr std::array<PolicyNumber, 13> numbers{{
    {"max_hosts_lost", &Policy::max_hosts_lost, 1, 1000},
    {"max_percent_lost", &Policy::max_percent_lost, 1, 100},
    {"peers_needed", &Policy::peers_needed, 0, 1000},
    {"fences_per_hour", &Policy::fences_per_hour, 0, 1000},
    {"starts_per_host", &Policy::starts_per_host, 1, 256},
    {"starts_at_once", &Policy::starts_at_once, 1, 10'000},
    {"start_attempts", &Policy::start_attempts, 1, 10},
    {"moves_at_once", &Policy::moves_at_once, 1, 64},
    {"balance_tolerance", &Policy::balance_tolerance, 1, 100},
    {"survive", &Policy::survive, 0, 1000},
    {"vcpus_per_cpu", &Policy::vcpus_per_cpu, 0, 1000},
    {"restart_limit", &Policy::restart_limit, 0, 100},
    {"restarts_elsewhere", &Policy::restarts_elsewhere, 0, 100},
}};

constexpr std::array<PolicySpan, 16> spans{{
    {"cool_down", &Policy::cool_down, 0ms, 24h},
    {"quiet_time", &Policy::quiet_time, 0ms, 1h},
    {"look_time", &Policy::look_time, 10ms, 1min},
    {"record_max_age", &Policy::record_max_age, 1s, 720h},
    {"settle_time", &Policy::settle_time, 0ms, 1h},
    {"answer_time", &Policy::answer_time, 1s, 1h},
    {"fence_time", &Policy::fence_time, 100ms, 1h},
    {"start_time", &Policy::start_time, 100ms, 1h},
    {"observe_time", &Policy::observe_time, 10ms, 1min},
    {"peer_time", &Policy::peer_time, 0ms, 10min},
    {"move_time", &Policy::move_time, 1s, 24h},
    {"disarmed_max", &Policy::disarmed_max, 1min, 87'600h},
    {"maintenance_time", &Policy::maintenance_time, 1min, 720h},
    {"restart_window", &Policy::restart_window, 1min, 720h},
    {"restart_pause", &Policy::restart_pause, 100ms, 10min},
    {"hang_time", &Policy::hang_time, 1s, 1h},
}};

/// Collects problems; one object checks one inventory.
class Checker : private ProblemCollector {
  public:
    explicit Checker(const Inventory& inventory) : inventory_(inventory) {}

    std::vector<InventoryProblem> run() {
        check_cluster();
        check_policy();
        check_names("host", inventory_.hosts);
        check_hosts();
        check_names("device", inventory_.devices);
        check_plugs();
        check_names("domain", inventory_.domains);
        for (InventoryProblem& found : check_domains(inventory_))
            problems_.push_back(std::move(found));
        check_names("storage", inventory_.storages);
        for (InventoryProblem& found : check_storages(inventory_))
            problems_.push_back(std::move(found));
        return std::move(problems_);
    }

  private:
    void check_cluster() {
        if (!inventory_.name.empty() && !valid_name(inventory_.name))
            error("cluster.name", bad_name(inventory_.name));
        const std::string& dir = inventory_.state_dir;
        if (dir.empty() || dir.front() != '/' || dir.find('\0') != std::string::npos)
            error("cluster.state_dir", quoted_name(dir) +
                                           " is no absolute path; such as "
                                           "\"/var/lib/domkeeper\" would be right");
    }

    static std::string bad_name(const std::string& name) {
        return quoted_name(name) +
               " is no valid name; at most 64 of A-Z a-z 0-9 . _ - and a letter or "
               "digit first would be right";
    }

    void check_policy() {
        const Policy& policy = inventory_.policy;
        for (const auto& [key, member, least, most] : numbers) {
            const int value = policy.*member;
            if (value < least || value > most)
                error("policy." + std::string(key), std::to_string(value) + " is out of range; " +
                                                        std::to_string(least) + " to " +
                                                        std::to_string(most) + " would be right");
        }
        for (const auto& [key, member, least, most] : spans) {
            const Duration value = policy.*member;
            if (value < least || value > most)
                error("policy." + std::string(key), render_duration(value) + " is out of range; " +
                                                        render_duration(least) + " to " +
                                                        render_duration(most) + " would be right");
        }
        check_witnesses();
        const std::string& commands = policy.monitor_commands;
        if (!commands.empty() && commands.front() != '/')
            error("policy.monitor_commands",
                  quoted_name(commands) +
                      " is no absolute path; such as \"/var/lib/nagios4/rw/nagios.cmd\" would be "
                      "right");
        if (!policy.seat_file.empty() && policy.seat_file.front() != '/')
            error("policy.seat_file",
                  quoted_name(policy.seat_file) +
                      " is no absolute path; such as \"/run/domkeeper/seat\" would be right");
        const std::size_t hosts = inventory_.hosts.size();
        if (policy.peers_needed > 0 && policy.peers_needed >= static_cast<int>(hosts))
            error("policy.peers_needed", std::to_string(policy.peers_needed) +
                                             " hosts can't answer beside a lost one of " +
                                             std::to_string(hosts));
        if (hosts > 1 && policy.max_hosts_lost >= static_cast<int>(hosts))
            warn("policy.max_hosts_lost", std::to_string(policy.max_hosts_lost) + " of " +
                                              counted(hosts, "host") +
                                              " may be lost at once: none would be left to take "
                                              "the domains");
    }

    void check_witnesses() {
        const Policy& policy = inventory_.policy;
        const std::size_t count = policy.witnesses.size();
        std::set<std::string> seen;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string& witness = policy.witnesses[i];
            const std::string path = element_of("policy.witnesses", i);
            if (!valid_address(witness))
                error(path, quoted_name(witness) +
                                " is no address; an IP address or a host name would "
                                "be right");
            else if (!seen.insert(witness).second)
                error(path, quoted_name(witness) + " stands twice; each witness counts once");
            for (const Host& host : inventory_.hosts)
                if (!witness.empty() && host.address == witness)
                    warn(path, quoted_name(witness) + " is the address of host " +
                                   quoted_name(host.name) +
                                   ": when that host dies its witness falls silent with it");
        }
        if (policy.witnesses_needed) {
            const int needed = *policy.witnesses_needed;
            if (needed < 1 || needed > static_cast<int>(count))
                error("policy.witnesses_needed",
                      std::to_string(needed) + " witnesses are needed, but " +
                          (count == 0
                               ? "none is listed; leave it out or list witnesses"
                               : std::to_string(count) + (count == 1 ? " is" : " are") +
                                     " listed; 1 to " + std::to_string(count) + " would be right"));
        }
        if (count == 0)
            warn("policy.witnesses",
                 "no witnesses: a monitor that is cut off from the network can't tell that from a "
                 "dead host");
    }

    template <typename T>
    void check_names(std::string_view kind, const std::vector<T>& things) {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < things.size(); ++i) {
            const std::string path = element_of(kind, i) + ".name";
            const std::string& name = things[i].name;
            if (!valid_name(name))
                error(path, bad_name(name));
            else if (!seen.insert(name).second)
                error(path, "there is another " + std::string(kind) + " " + quoted_name(name) +
                                "; each name may be used once");
        }
    }

    void check_hosts() {
        std::map<std::string, std::string> by_address;
        std::map<std::string, std::string> by_uri;
        for (std::size_t i = 0; i < inventory_.hosts.size(); ++i) {
            const Host& host = inventory_.hosts[i];
            const std::string path = element_of("host", i);
            if (!host.address.empty() && !valid_address(host.address))
                error(path + ".address", quoted_name(host.address) +
                                             " is no address; an IP address or a host name would "
                                             "be right");
            check_unique(path + ".address", host.address, host.name, by_address);
            check_unique(path + ".uri", host.uri, host.name, by_uri);
            check_uri(path + ".uri", host.uri);
            check_memory(path, host);
            check_offers(path, host);
            check_fence(path, host);
        }
        if (inventory_.hosts.size() == 1)
            warn("host", "there is one host only: no domain can be started elsewhere");
    }

    void check_unique(const std::string& path, const std::string& value, const std::string& owner,
                      std::map<std::string, std::string>& seen) {
        if (value.empty()) return;
        const auto [found, fresh] = seen.emplace(value, owner);
        if (!fresh && found->second != owner)
            error(path, quoted_name(value) + " is that of host " + quoted_name(found->second) +
                            " already; each host needs its own");
    }

    void check_uri(const std::string& path, const std::string& uri) {
        if (uri.empty()) return;
        const std::size_t end = uri.find(':');
        const std::string scheme = uri.substr(0, end);
        const std::string driver = scheme.substr(0, scheme.find('+'));
        const bool bytes_fit = std::all_of(uri.begin(), uri.end(), [](char c) {
            return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
        });
        if (end == std::string::npos || uri.compare(end, 2, ":/") != 0 || driver.empty() ||
            !bytes_fit) {
            error(path, quoted_name(uri) +
                            " is no libvirt connection URI; such as "
                            "\"qemu+tls://host/system\" would be right");
            return;
        }
        static const std::vector<std::string> drivers{"qemu", "xen", "lxc", "ch", "bhyve", "test"};
        static const std::vector<std::string> transports{"",     "tls",    "tcp", "ssh",
                                                         "unix", "libssh", "ext", "libssh2"};
        if (std::find(drivers.begin(), drivers.end(), driver) == drivers.end())
            error(path,
                  "driver " + quoted_name(driver) + " is not known" + name_hint(driver, drivers));
        const std::string transport =
            driver.size() == scheme.size() ? "" : scheme.substr(driver.size() + 1);
        if (std::find(transports.begin(), transports.end(), transport) == transports.end())
            error(path, "transport " + quoted_name(transport) +
                            " is not known; tls, tcp, ssh, libssh, "
                            "libssh2, unix or ext would be right");
    }

    void check_memory(const std::string& path, const Host& host) {
        if (host.memory && host.memory->count <= 0)
            error(path + ".memory", "a host needs memory; such as \"64GiB\" would be right");
        if (host.reserve.count < 0)
            error(path + ".reserve", "can't be negative; such as \"1GiB\" would be right");
        if (host.memory && host.reserve >= *host.memory && host.memory->count > 0)
            error(path + ".reserve", render_bytes(host.reserve) + " of " +
                                         render_bytes(*host.memory) +
                                         " are reserved; nothing is left for domains");
    }

    void check_offers(const std::string& path, const Host& host) {
        if (host.vcpus && (*host.vcpus < 1 || *host.vcpus > 1'000'000))
            error(path + ".vcpus",
                  std::to_string(*host.vcpus) + " is out of range; 1 to 1000000 would be right");
        for (std::size_t k = 0; k < host.offers.size(); ++k)
            if (!valid_label(host.offers[k]))
                error(element_of(path + ".offers", k),
                      quoted_name(host.offers[k]) +
                          " is no label; such as \"gpu\" or \"bridge:br0\" would be right");
    }

    void check_fence(const std::string& path, const Host& host) {
        if (host.fence.empty())
            warn(path + ".fence",
                 "host " + quoted_name(host.name) +
                     " has no fence device: it can't be proved off, so its "
                     "domains are started elsewhere only after an operator's word");
        const auto cuts_disks_only = [&](const FenceLevel& level) {
            return std::all_of(level.begin(), level.end(), [&](const std::string& name) {
                const FenceDevice* device = inventory_.find_device(name);
                return device != nullptr && device->options.count("disks") != 0;
            });
        };
        if (!host.fence.empty() &&
            std::all_of(host.fence.begin(), host.fence.end(), cuts_disks_only))
            warn(path + ".fence", "host " + quoted_name(host.name) +
                                      " has storage fences alone: domains with any other disk are "
                                      "not started elsewhere");
        for (std::size_t level = 0; level < host.fence.size(); ++level) {
            const std::string level_path = element_of(path + ".fence", level);
            if (host.fence[level].empty())
                error(level_path, "this level has no device; at least one would be right");
            std::set<std::string> seen;
            for (std::size_t i = 0; i < host.fence[level].size(); ++i) {
                const std::string& name = host.fence[level][i];
                if (!inventory_.find_device(name))
                    error(element_of(level_path, i),
                          "there is no device " + quoted_name(name) +
                              name_hint(name, names_of(inventory_.devices)));
                else if (!seen.insert(name).second)
                    error(element_of(level_path, i),
                          "device " + quoted_name(name) + " stands twice in one level");
            }
        }
    }

    /// One plug that takes two hosts down would be proof for both: the living one would lose its
    /// power, or worse, its domains would be started a second time.
    void check_plugs() {
        PlugOwners owners;
        std::set<std::string> used;
        for (std::size_t i = 0; i < inventory_.hosts.size(); ++i) {
            const Host& host = inventory_.hosts[i];
            for (std::size_t level = 0; level < host.fence.size(); ++level)
                for (std::size_t k = 0; k < host.fence[level].size(); ++k) {
                    const FenceDevice* device = inventory_.find_device(host.fence[level][k]);
                    if (!device) continue;
                    used.insert(device->name);
                    const auto taken = take_plugs(owners, *device, host.name);
                    if (!taken) continue;
                    const auto& [owner, first] = *taken;
                    const std::string path =
                        element_of(element_of(element_of("host", i) + ".fence", level), k);
                    error(path, first == device->name
                                    ? "device " + quoted_name(first) + " fences host " +
                                          quoted_name(owner) +
                                          " already; describe it a second time under another name "
                                          "with the plug of this host"
                                    : "device " + quoted_name(device->name) +
                                          " has the same address "
                                          "and plug as " +
                                          quoted_name(first) + " of host " + quoted_name(owner) +
                                          "; each host needs a plug of its own");
                }
        }
        for (std::size_t i = 0; i < inventory_.devices.size(); ++i) {
            const FenceDevice& device = inventory_.devices[i];
            if (device.agent.empty())
                error(element_of("device", i) + ".agent",
                      "is missing; such as \"fence_ipmi\" would be right");
            if (!device.agent.empty() && device.options.count("disks") == 0 &&
                configured_coverage(device).empty() &&
                (is_external_agent(device.agent) || device.options.count("family") != 0))
                error(element_of("device", i) + ".agent",
                      "this agent takes no power away; name the disks that it cuts: disks = " +
                          std::string("[\"e7.1\"]"));
            if (const auto disks = device.options.find("disks");
                disks != device.options.end() && !parse_disk_units(disks->second))
                error(element_of("device", i) + ".disks",
                      quoted_name(disks->second) + " names no disks; " +
                          *wrong_option(OptionForm::Disks, "") + " would be right");
            if (!device.name.empty() && used.count(device.name) == 0)
                warn(element_of("device", i) + ".name",
                     "no host uses device " + quoted_name(device.name));
        }
    }

    using PlugOwners = std::map<std::string, std::pair<std::string, std::string>>;

    /// Notes the plugs of a device as the host's; who has one of them already, host and device.
    static std::optional<std::pair<std::string, std::string>> take_plugs(PlugOwners& owners,
                                                                         const FenceDevice& device,
                                                                         const std::string& host) {
        std::optional<std::pair<std::string, std::string>> taken;
        for (const std::string& plug : plugs_of(device)) {
            const auto [found, fresh] = owners.emplace(plug, std::pair(host, device.name));
            if (!fresh && found->second.first != host) taken = found->second;
        }
        return taken;
    }

    /// What tells one plug from another; a device without an address is known by its name only.
    static std::vector<std::string> plugs_of(const FenceDevice& device) {
        const auto option = [&](const char* name) {
            const auto found = device.options.find(name);
            return found == device.options.end() ? std::string{} : found->second;
        };
        if (option("ip").empty()) return {"name " + device.name};
        std::string port = option("ipport");
        if (port.empty() && device.agent == "fence_ipmi") port = "623";
        if (port.empty() && device.agent == "fence_pdu") port = "161";
        const std::string begin = "plug " + device.agent + "\n" + option("ip") + "\n" + port + "\n";
        const std::string separator = option("plug_separator");
        std::vector<std::string> all;
        for (const std::string& plug :
             split(option("plug"), separator.size() == 1 ? separator[0] : ','))
            all.push_back(begin + std::string(trim(plug)));
        if (all.empty()) all.push_back(begin);
        return all;
    }

    const Inventory& inventory_;
};

}  // namespace

std::vector<InventoryProblem> check_inventory(const Inventory& inventory) {
    return Checker(inventory).run();
}

bool valid_name(std::string_view name) {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= 64 && alphanumeric(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

std::span<const PolicyNumber> policy_numbers() {
    return numbers;
}
std::span<const PolicySpan> policy_spans() {
    return spans;
}

}  // namespace domkeeper
