// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/toml_config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>

#include "lib/core/agent_options.hpp"
#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/inventory_hints.hpp"
#include "lib/core/text.hpp"
#include "lib/core/toml_trap.hpp"
#include "lib/io/secret_file.hpp"

namespace domkeeper {
namespace {

/// What a value is, for "... was found".
std::string describe(const toml::node& node) {
    if (const auto* text = node.as_string()) return quoted_name(text->get());
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* yes = node.as_boolean()) return yes->get() ? "true" : "false";
    if (node.is_floating_point()) return "a number with a point";
    if (node.is_array()) return "a list";
    if (node.is_table()) return "a table";
    return "a date or time";
}

/// Turns the parsed file into an inventory and collects every problem on the way.
class Reader {
  public:
    Reader(std::string file, bool with_secrets)
        : file_(std::move(file)), with_secrets_(with_secrets) {}

    LoadedConfig run(const toml::table& root) {
        root_ = &root;
        unknown_keys(root, "", {"cluster", "policy", "host", "device", "domain", "storage"});
        if (const auto* table = section(root, "cluster")) read_cluster(*table);
        if (const auto* table = section(root, "policy")) read_policy(*table);
        each(root, "host", [&](const auto& table, const auto& at) { read_host(table, at); });
        each(root, "device", [&](const auto& table, const auto& at) { read_device(table, at); });
        each(root, "domain", [&](const auto& table, const auto& at) { read_domain(table, at); });
        each(root, "storage", [&](const auto& table, const auto& at) { read_storage(table, at); });
        if (!root.contains("host"))
            problem(root, "host",
                    "there is no host; such as [[host]] name = \"xen1\" would be "
                    "right");
        check_together();
        for (auto* list : {&loaded_.problems, &loaded_.warnings})
            std::stable_sort(list->begin(), list->end(), [](const auto& a, const auto& b) {
                return std::pair(a.line, a.column) < std::pair(b.line, b.column);
            });
        return std::move(loaded_);
    }

  private:
    using Table = toml::table;
    using Names = std::vector<std::string>;

    void add(std::vector<ConfigProblem>& list, const toml::source_region& where,
             const std::string& path, const std::string& text) {
        list.push_back({file_, static_cast<int>(where.begin.line),
                        static_cast<int>(where.begin.column), full_name(path), text});
    }
    void problem(const toml::node& node, const std::string& path, const std::string& text) {
        troubled_.insert(path);
        add(loaded_.problems, node.source(), path, text);
    }

    /// "host[1].memory" as "host.xen2.memory" where the host has a good name: people don't count.
    std::string full_name(const std::string& path) const {
        const std::size_t open = path.find('[');
        if (open == std::string::npos || path.find('.') < open) return printable(path);
        const std::size_t close = path.find(']', open);
        if (close == std::string::npos) return printable(path);
        const auto* name = toml::at_path(*root_, path.substr(0, close + 1) + ".name").as_string();
        if (!name || !valid_name(name->get())) return printable(path);
        return printable(path.substr(0, open) + "." + name->get() + path.substr(close + 1));
    }

    void unknown_keys(const Table& table, const std::string& path, const Names& known) {
        for (const auto& [key, node] : table) {
            const std::string name(key.str());
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            const std::string full = path.empty() ? name : path + "." + name;
            const bool secret = name == "password" || name == "passwd" || name == "hexadecimal_kg";
            const auto near = closest(name, known);
            troubled_.insert(full);
            add(loaded_.problems, key.source(), full,
                secret ? "no secret stands in this file; put it into a file of mode 0600 and name "
                         "that in password_file"
                       : "unknown key; " + (near ? "did you mean " + quoted_name(*near) + "?"
                                                 : "known are " + join(known, ", ")));
        }
    }

    const Table* section(const Table& root, const std::string& name) {
        const toml::node* node = root.get(name);
        if (!node) return nullptr;
        if (!node->is_table())
            problem(*node, name,
                    describe(*node) + " was found; a section [" + name + "] would be right");
        return node->as_table();
    }

    template <typename Read>
    void each(const Table& root, const std::string& name, const Read& read) {
        const toml::node* node = root.get(name);
        if (!node) return;
        const toml::array* list = node->as_array();
        if (!list) {
            problem(*node, name,
                    describe(*node) + " was found; sections [[" + name +
                        "]] in double brackets would be right");
            return;
        }
        for (std::size_t i = 0; i < list->size(); ++i) {
            const toml::node& item = *list->get(i);
            const std::string path = name + "[" + std::to_string(i) + "]";
            static const Table none;
            if (!item.is_table())
                problem(item, path,
                        describe(item) + " was found; a section [[" + name + "]] would be right");
            // An entry that is no table is read as an empty one, so that numbers stay in step.
            quiet_ = !item.is_table();
            read(item.is_table() ? *item.as_table() : none, path);
            quiet_ = false;
        }
    }

    void wrong(const toml::node& node, const std::string& path, const std::string& right) {
        problem(node, path, describe(node) + " was found; " + right + " would be right");
    }

    void missing(const Table& table, const std::string& path, const std::string& right) {
        if (!quiet_) problem(table, path, "is missing; " + right + " would be right");
    }

    std::optional<std::string> text(const Table& table, const std::string& path,
                                    const std::string& key, const std::string& right,
                                    bool required = false) {
        const toml::node* node = table.get(key);
        const std::string full = path + "." + key;
        if (!node) {
            if (required) missing(table, full, right);
            return std::nullopt;
        }
        const auto* value = node->as_string();
        if (!value || value->get().empty() || value->get().size() > 4096 ||
            value->get().find('\0') != std::string::npos) {
            wrong(*node, full, right);
            return std::nullopt;
        }
        return value->get();
    }

    template <typename T, typename Out>
    void parsed(const Table& table, const std::string& path, std::string_view key,
                std::optional<T> (*parse)(std::string_view), const std::string& right, Out& out) {
        const toml::node* node = table.get(key);
        if (!node) return;
        const auto* written = node->as_string();
        const auto value = written ? parse(written->get()) : std::nullopt;
        if (value)
            out = *value;
        else
            wrong(*node, path + "." + std::string(key), right);
    }

    std::optional<int> whole(const Table& table, const std::string& path, std::string_view key) {
        const toml::node* node = table.get(key);
        if (!node) return std::nullopt;
        const auto* value = node->as_integer();
        if (value && value->get() >= std::numeric_limits<int>::min() &&
            value->get() <= std::numeric_limits<int>::max())
            return static_cast<int>(value->get());
        wrong(*node, path + "." + std::string(key), "a whole number without quotes");
        return std::nullopt;
    }

    Names texts(const toml::node* node, const std::string& path, const std::string& right) {
        Names out;
        if (!node) return out;
        const toml::array* list = node->as_array();
        if (!list) {
            wrong(*node, path, right);
            return out;
        }
        for (std::size_t i = 0; i < list->size(); ++i) {
            const auto* value = list->get(i)->as_string();
            if (!value || value->get().find('\0') != std::string::npos)
                wrong(*list->get(i), path + "[" + std::to_string(i) + "]", "a text in quotes");
            out.push_back(value ? value->get() : std::string{});
        }
        return out;
    }

    void read_cluster(const Table& table) {
        unknown_keys(table, "cluster", {"name", "state_dir"});
        Inventory& inventory = loaded_.inventory;
        if (const auto name = text(table, "cluster", "name", "a name such as \"demo\""))
            inventory.name = *name;
        if (const auto dir =
                text(table, "cluster", "state_dir", "a path such as \"/var/lib/domkeeper\""))
            inventory.state_dir = *dir;
    }

    void read_policy(const Table& table) {
        Policy& policy = loaded_.inventory.policy;
        for (const PolicyNumber& number : policy_numbers())
            if (const auto value = whole(table, "policy", number.key))
                policy.*number.member = *value;
        for (const PolicySpan& span : policy_spans())
            parsed(table, "policy", span.key, parse_duration,
                   "a time in quotes with its unit, such as " +
                       quoted_name(render_duration(Policy{}.*span.member)) + ",",
                   policy.*span.member);
        Names known = policy_keys();
        read_remedies(table, "policy", policy.remedies, known);
        unknown_keys(table, "policy", known);
        policy.witnesses = texts(table.get("witnesses"), "policy.witnesses",
                                 "a list of addresses such as [\"10.0.0.254\"]");
        policy.witnesses_needed = whole(table, "policy", "witnesses_needed");
        parsed(table, "policy", "unseen_peers", parse_unseen_peers,
               "\"refuse\" or \"trust-record\"", policy.unseen_peers);
        parsed(table, "policy", "storage_lost", parse_storage_lost,
               "\"evacuate\", \"fence\" or \"report\"", policy.storage_lost);
        parsed(table, "policy", "failback", parse_failback, "\"never\", \"manual\" or \"auto\"",
               policy.failback);
        policy.seat_file = text(table, "policy", "seat_file", "an absolute path").value_or("");
        parsed(table, "policy", "make_room", parse_make_room, "\"never\" or \"stop-best-effort\"",
               policy.make_room);
        policy.monitor_commands =
            text(table, "policy", "monitor_commands",
                 "the monitor's command file, such as \"/var/lib/nagios4/rw/nagios.cmd\",")
                .value_or("");
        policy.notify = texts(table.get("notify"), "policy.notify",
                              "a list of command and arguments such as [\"/usr/bin/notify\"]");
        if (!policy.notify.empty() && policy.notify[0].substr(0, 1) != "/" &&
            troubled_.count("policy.notify[0]") == 0)
            wrong(*table["notify"].as_array()->get(0), "policy.notify[0]",
                  "the command's absolute path");
    }

    void read_remedies(const Table& table, const std::string& at, Remedies& out, Names& known) {
        for (const RemedyKey& key : remedy_keys()) {
            known.emplace_back(key.key);
            const toml::node* node = table.get(key.key);
            const auto* word = node != nullptr ? node->as_string() : nullptr;
            if (word != nullptr) out.*key.member = parse_remedy(key, word->get());
            if (node != nullptr && !(out.*key.member))
                wrong(*node, at + "." + std::string(key.key), remedy_words(key));
        }
    }

    void read_host(const Table& table, const std::string& at) {
        unknown_keys(table, at,
                     {"name", "address", "uri", "memory", "reserve", "fence", "vcpus", "offers"});
        Host host;
        host.name = text(table, at, "name", "a name such as \"xen1\"", true).value_or("");
        host.address =
            text(table, at, "address", "an IP address or a host name", true).value_or("");
        host.uri = text(table, at, "uri",
                        "a libvirt connection URI such as \"qemu+tls://xen1/system\"", true)
                       .value_or("");
        if (table.contains("memory")) {
            Bytes memory;
            parsed(table, at, "memory", parse_bytes,
                   "a size in quotes with its unit (KiB, MiB, GiB, TiB), such as \"64GiB\",",
                   memory);
            if (troubled_.count(at + ".memory") == 0) host.memory = memory;
        }
        parsed(table, at, "reserve", parse_bytes,
               "a size in quotes with its unit (KiB, MiB, GiB, TiB), such as \"1GiB\",",
               host.reserve);
        host.vcpus = whole(table, at, "vcpus");
        host.offers = texts(table.get("offers"), at + ".offers",
                            "a list of labels such as [\"gpu\", \"bridge:br0\"]");
        read_fence(table.get("fence"), at + ".fence", host);
        loaded_.inventory.hosts.push_back(std::move(host));
    }

    void read_fence(const toml::node* node, const std::string& path, Host& host) {
        if (!node) return;
        const std::string right =
            "a list of levels, each a list of devices, such as "
            "[[\"bmc-xen1\"], [\"pdu-a\", \"pdu-b\"]],";
        const toml::array* levels = node->as_array();
        if (!levels) return wrong(*node, path, right);
        for (std::size_t i = 0; i < levels->size(); ++i) {
            const std::string level = path + "[" + std::to_string(i) + "]";
            host.fence.push_back(texts(levels->get(i), level, right));
            if (troubled_.count(level) != 0) troubled_.insert(path);
        }
    }

    void read_device(const Table& table, const std::string& at) {
        FenceDevice device;
        device.name = text(table, at, "name", "a name such as \"bmc-xen1\"", true).value_or("");
        device.agent =
            text(table, at, "agent", "an agent such as \"fence_ipmi\"", true).value_or("");
        device.password_file = text(table, at, "password_file", "a path").value_or("");
        if (!device.password_file.empty()) check_secret(*table.get("password_file"), at, device);
        Names agents;
        const AgentOptions* agent = nullptr;
        for (const AgentOptions& each : known_agents()) {
            agents.emplace_back(each.agent);
            if (each.agent == device.agent) agent = &each;
        }
        if (agent)
            read_options(table, at, *agent, "agent", device);
        else if (is_external_agent(device.agent))
            read_external_options(table, at, device);
        else if (!device.agent.empty())
            wrong(*table.get("agent"), at + ".agent",
                  "one of " + join(agents, ", ") + ", or the path of an agent in /usr/sbin");
        loaded_.inventory.devices.push_back(std::move(device));
    }

    void read_storage(const Table& table, const std::string& at) {
        StorageNode storage;
        storage.name = text(table, at, "name", "a name such as \"san1\"", true).value_or("");
        storage.agent = text(table, at, "kind", "\"aoe\" or \"iscsi\"", true).value_or("");
        storage.password_file = text(table, at, "password_file", "a path").value_or("");
        if (!storage.password_file.empty()) check_secret(*table.get("password_file"), at, storage);
        for (const AgentOptions& kind : known_storages())
            if (kind.agent == storage.agent) read_options(table, at, kind, "kind", storage);
        loaded_.inventory.storages.push_back(std::move(storage));
    }

    void check_secret(const toml::node& node, const std::string& at, const FenceDevice& device) {
        const std::string path = at + ".password_file";
        if (device.password_file.front() != '/') return wrong(node, path, "an absolute path");
        if (!with_secrets_) return;
        try {
            check_secret_file(device.password_file);
        } catch (const Error& error) {
            problem(node, path, printable(error.what(), 512));
        }
    }

    void read_options(const Table& table, const std::string& at, const AgentOptions& agent,
                      const std::string& agent_key, FenceDevice& device) {
        Names known{"name", agent_key, "password_file"};
        for (const AgentOption& option : agent.options) {
            known.emplace_back(option.name);
            const toml::node* node = table.get(option.name);
            const std::string path = at + "." + std::string(option.name);
            if (!node) {
                if (option.required) missing(table, path, *wrong_option(option.form, ""));
                continue;
            }
            std::optional<std::string> value = node->value_exact<std::string>();
            if (const auto* number = node->as_integer()) value = std::to_string(number->get());
            if (const auto* yes = node->as_boolean()) value = yes->get() ? "1" : "0";
            if (const auto* list = node->as_array(); list && option.form == OptionForm::Disks) {
                const std::string form = *wrong_option(OptionForm::Disks, "");
                value = join(texts(node, path, form), " ");
            }
            const auto right = value ? wrong_option(option.form, *value) : "a plain value";
            if (right)
                wrong(*node, path, *right);
            else
                device.options[std::string(option.name)] = *value;
        }
        unknown_keys(table, at, known);
    }

    /// Of an agent of the system nothing is known but the form of its options.
    void read_external_options(const Table& table, const std::string& at, FenceDevice& device) {
        for (const auto& [key, node] : table) {
            const std::string name(key.str());
            const std::string path = at + "." + name;
            if (name == "name" || name == "agent" || name == "password_file") continue;
            if (is_secret_option(name)) {
                problem(node, path, "a secret stands in a file of its own: password_file names it");
                continue;
            }
            if (!valid_name(name)) {
                unknown_keys(table, at,
                             {"name", "agent", "password_file", "ip", "plug", "username"});
                return;
            }
            std::optional<std::string> value = node.value_exact<std::string>();
            if (const auto* number = node.as_integer()) value = std::to_string(number->get());
            if (const auto* yes = node.as_boolean()) value = yes->get() ? "1" : "0";
            if (const auto* list = node.as_array(); list && name == "disks")
                value = join(texts(&node, path, "a list of disks"), " ");
            const auto right = value ? wrong_option(OptionForm::Text, *value) : "a plain value";
            if (right)
                wrong(node, path, *right);
            else
                device.options[name] = *value;
        }
    }

    void read_domain(const Table& table, const std::string& at) {
        Names known{"name",   "priority", "class",   "restart",
                    "expect", "move",     "answers", "start_delay"};
        Domain out;
        for (const DomainList& list : domain_lists()) {
            known.emplace_back(list.key);
            const std::string path = at + "." + std::string(list.key);
            out.*list.member = texts(table.get(list.key), path, std::string(list.right));
        }
        read_remedies(table, at, out.remedies, known);
        unknown_keys(table, at, known);
        out.name = text(table, at, "name", "a name such as \"web1\"", true).value_or("");
        if (table.contains("hosts") && out.hosts.empty() && troubled_.count(at + ".hosts") == 0)
            wrong(*table.get("hosts"), at + ".hosts",
                  "a list of hosts such as [\"xen1\", \"xen2\"] (leave it out for all hosts)");
        out.priority = whole(table, at, "priority").value_or(0);
        parsed(table, at, "class", parse_domain_class,
               "\"must-run\", \"normal\" or \"best-effort\"", out.domain_class);
        parsed(table, at, "start_delay", parse_duration, "a time in quotes such as \"10s\"",
               out.start_delay);
        parsed(table, at, "answers", parse_guest_sign,
               "\"ping ADDRESS\", \"tcp ADDRESS:PORT\" or \"agent\"", out.answers);
        parsed(table, at, "restart", parse_restart_policy, "\"always\" or \"never\"", out.restart);
        parsed(table, at, "expect", parse_expected, "\"running\", \"off\" or \"any\"", out.expect);
        parsed(table, at, "move", parse_move_policy,
               "\"live\", \"paused\", \"restart\" or \"never\"", out.move);
        loaded_.inventory.domains.push_back(std::move(out));
    }

    /// Adds what is wrong with the values taken together, at the place in the file that it is
    /// about, unless that place is known to be wrong already.
    void check_together() {
        for (const InventoryProblem& found : check_inventory(loaded_.inventory)) {
            if (is_troubled(found.path)) continue;
            add(found.warning ? loaded_.warnings : loaded_.problems, place_of(found.path),
                found.path, found.text);
        }
    }

    /// True for the path and all that lies below a path with a problem.
    bool is_troubled(std::string path) const {
        for (;;) {
            if (troubled_.count(path) != 0) return true;
            const std::size_t cut = path.find_last_of(".[");
            if (cut == std::string::npos) return false;
            path.resize(cut);
        }
    }

    /// Where the path stands, or the nearest thing above it that does.
    toml::source_region place_of(std::string path) const {
        for (;;) {
            if (const auto view = toml::at_path(*root_, path)) return view.node()->source();
            const std::size_t cut = path.find_last_of(".[");
            if (cut == std::string::npos) return {};
            path.resize(cut);
        }
    }

    std::string file_;
    bool with_secrets_;
    bool quiet_ = false;  ///< an entry that was not there at all misses nothing
    const Table* root_ = nullptr;
    LoadedConfig loaded_;
    std::set<std::string> troubled_;  ///< paths that have a problem
};

}  // namespace

LoadedConfig parse_config(const std::string& text, const std::string& name, bool with_secrets) {
    const std::string file = printable(name, 1024);
    LoadedConfig failed;
    if (const auto trap = find_toml_trap(text)) {
        failed.problems.push_back({file, trap->place.line, trap->place.column, "",
                                   "no valid TOML: " + std::string(trap->text)});
        return failed;
    }
    try {
        return Reader(file, with_secrets).run(toml::parse(text, name));
    } catch (const toml::parse_error& error) {
        const auto& where = error.source().begin;
        failed.problems.push_back({file, static_cast<int>(where.line),
                                   static_cast<int>(where.column), "",
                                   "no valid TOML: " + printable(error.description())});
    }
    return failed;
}

}  // namespace domkeeper
