// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/core/inventory_text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/core/inventory_check.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

std::string quoted(std::string_view text) {
    return "\"" + printable(text, 80) + "\"";
}

/// One key=value of a line, still in its written form.
struct Pair {
    std::string key;
    std::string_view value;
};

/// A line cut into its words.
struct Line {
    std::size_t number = 0;
    std::string_view kind;
    std::optional<std::string> name;
    std::vector<Pair> pairs;

    [[noreturn]] void fail(const std::string& text) const {
        throw UsageError("line " + std::to_string(number) + ": " + text);
    }
};

/// The end of the word that begins `text`: the first of `stops` outside quotes.
std::size_t word_end(std::string_view text, std::string_view stops) {
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (inside && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            inside = !inside;
        else if (!inside && stops.find(text[i]) != std::string_view::npos)
            return i;
    }
    return text.size();
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

std::string unquote(const Line& line, std::string_view written) {
    if (written.find('"') == std::string_view::npos) return std::string(written);
    if (written.size() < 2 || written.front() != '"' || written.back() != '"')
        line.fail("quotes must enclose the whole value: " + printable(written, 80));
    std::string out;
    const std::string_view text = written.substr(1, written.size() - 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') line.fail("a quote inside a value is written \\\"");
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        if (++i == text.size()) line.fail("the closing quote is missing");
        const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
        if (text[i] == '\\' || text[i] == '"')
            out += text[i];
        else if (text[i] == 'n')
            out += '\n';
        else if (text[i] == 't')
            out += '\t';
        else if (text[i] == 'x' && high && low) {
            out += static_cast<char>(*high * 16 + *low);
            i += 2;
        } else
            line.fail("unknown escape in " + printable(written, 80));
    }
    return out;
}

std::vector<std::string> unquote_list(const Line& line, const Pair& pair, char separator) {
    std::vector<std::string> out;
    std::string_view rest = pair.value;
    if (rest.empty()) return out;
    for (;;) {
        const std::size_t end = word_end(rest, std::string_view(&separator, 1));
        if (end == 0) line.fail(pair.key + " has an empty element");
        out.push_back(unquote(line, rest.substr(0, end)));
        if (end == rest.size()) return out;
        rest.remove_prefix(end + 1);
    }
}

std::optional<Line> cut_line(std::size_t number, std::string_view text) {
    Line line{number, {}, std::nullopt, {}};
    for (const char c : text)
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7F)
            line.fail("control bytes are written \\xHH inside quotes");
    std::set<std::string> seen;
    for (text = trim(text); !text.empty() && text.front() != '#'; text = trim(text)) {
        const std::string_view word = text.substr(0, word_end(text, " \t\r"));
        text.remove_prefix(word.size());
        const std::size_t equals = word_end(word, "=");
        if (line.kind.empty()) {
            line.kind = word;
        } else if (equals == word.size()) {
            if (line.name || !line.pairs.empty()) line.fail(quoted(word) + " is no key=value");
            line.name = unquote(line, word);
        } else {
            const std::string key(word.substr(0, equals));
            if (key.empty() || key.find('"') != std::string::npos)
                line.fail(quoted(word) + " is no key=value");
            if (!seen.insert(key).second) line.fail(quoted(key) + " stands twice");
            line.pairs.push_back({key, word.substr(equals + 1)});
        }
    }
    if (line.kind.empty()) return std::nullopt;
    return line;
}

/// Reads lines into an inventory and remembers which line gave what.
class Parser {
  public:
    Inventory run(std::string_view text) {
        std::size_t number = 0;
        while (!text.empty()) {
            const std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(text.size(), line.size() + 1));
            if (const auto cut = cut_line(++number, line)) read(*cut);
        }
        for (const InventoryProblem& problem : check_inventory(inventory_)) {
            if (problem.warning) continue;
            throw UsageError("line " + std::to_string(line_of(problem.path)) + ": " +
                             problem.path.substr(problem.path.find('.') + 1) + ": " + problem.text);
        }
        return std::move(inventory_);
    }

  private:
    void read(const Line& line) {
        const std::string kind(line.kind);
        if (kind == "cluster" || kind == "policy") {
            if (!lines_.emplace(kind, line.number).second) line.fail("a second " + kind + " line");
            return kind == "cluster" ? read_cluster(line) : read_policy(line);
        }
        const auto index = [&](std::size_t at) {
            lines_.emplace(kind + "[" + std::to_string(at) + "]", line.number);
            if (!line.name) line.fail("the name of the " + kind + " is missing");
        };
        if (kind == "host") {
            index(inventory_.hosts.size());
            inventory_.hosts.push_back(read_host(line));
        } else if (kind == "device") {
            index(inventory_.devices.size());
            inventory_.devices.push_back(read_device(line, "agent"));
        } else if (kind == "storage") {
            index(inventory_.storages.size());
            inventory_.storages.push_back(read_device(line, "kind"));
        } else if (kind == "domain") {
            index(inventory_.domains.size());
            inventory_.domains.push_back(read_domain(line));
        } else {
            line.fail(quoted(kind) +
                      " is not known; cluster, policy, host, device, domain or storage would be "
                      "right");
        }
    }

    std::size_t line_of(const std::string& path) const {
        const auto found = lines_.find(path.substr(0, path.find('.')));
        return found == lines_.end() ? 0 : found->second;
    }

    [[noreturn]] static void unknown(const Line& line, const Pair& pair,
                                     const std::vector<std::string>& known) {
        const auto near = closest(pair.key, known);
        line.fail(
            "unknown key " + quoted(pair.key) + "; " +
            (near ? "did you mean " + quoted(*near) + "?" : "known are " + join(known, ", ")));
    }

    static int whole(const Line& line, const Pair& pair) {
        const auto value = parse_integer(pair.value);
        if (!value || *value < std::numeric_limits<int>::min() ||
            *value > std::numeric_limits<int>::max())
            line.fail(pair.key + ": " + quoted(pair.value) + " is no whole number");
        return static_cast<int>(*value);
    }
    static Duration span(const Line& line, const Pair& pair) {
        const auto value = parse_duration(pair.value);
        if (!value) line.fail(pair.key + ": " + quoted(pair.value) + " is no time such as 400ms");
        return *value;
    }
    static Bytes size(const Line& line, const Pair& pair) {
        const auto value = parse_bytes(pair.value);
        if (!value) line.fail(pair.key + ": " + quoted(pair.value) + " is no size such as 2GiB");
        return *value;
    }
    template <typename Enum>
    static Enum word(const Line& line, const Pair& pair,
                     std::optional<Enum> (*parse)(std::string_view)) {
        const auto value = parse(pair.value);
        if (!value) line.fail(pair.key + ": " + quoted(pair.value) + " is no word for this key");
        return *value;
    }

    void read_cluster(const Line& line) {
        inventory_.name = line.name.value_or("");
        for (const Pair& pair : line.pairs)
            if (pair.key == "state_dir")
                inventory_.state_dir = unquote(line, pair.value);
            else
                unknown(line, pair, {"state_dir"});
    }

    void read_policy(const Line& line) {
        if (line.name) line.fail(quoted(*line.name) + " is no key=value");
        for (const Pair& pair : line.pairs)
            if (!read_limit(line, pair)) read_policy_key(line, pair);
    }

    bool read_limit(const Line& line, const Pair& pair) {
        for (const PolicyNumber& number : policy_numbers())
            if (number.key == pair.key) {
                inventory_.policy.*number.member = whole(line, pair);
                return true;
            }
        for (const PolicySpan& limit : policy_spans())
            if (limit.key == pair.key) {
                inventory_.policy.*limit.member = span(line, pair);
                return true;
            }
        return false;
    }

    void read_policy_key(const Line& line, const Pair& pair) {
        Policy& policy = inventory_.policy;
        if (pair.key == "witnesses") {
            policy.witnesses = unquote_list(line, pair, ',');
        } else if (pair.key == "witnesses_needed") {
            policy.witnesses_needed = whole(line, pair);
        } else if (pair.key == "unseen_peers") {
            policy.unseen_peers = word(line, pair, parse_unseen_peers);
        } else if (pair.key == "storage_lost") {
            policy.storage_lost = word(line, pair, parse_storage_lost);
        } else if (pair.key == "failback") {
            policy.failback = word(line, pair, parse_failback);
        } else if (pair.key == "make_room") {
            policy.make_room = word(line, pair, parse_make_room);
        } else if (pair.key == "notify") {
            policy.notify = unquote_list(line, pair, ',');
        } else if (pair.key == "seat_file") {
            policy.seat_file = unquote(line, pair.value);
        } else if (pair.key == "monitor_commands") {
            policy.monitor_commands = unquote(line, pair.value);
        } else {
            unknown(line, pair, policy_keys());
        }
    }

    static Host read_host(const Line& line) {
        Host host;
        host.name = host.address = *line.name;
        for (const Pair& pair : line.pairs) {
            if (pair.key == "address")
                host.address = unquote(line, pair.value);
            else if (pair.key == "uri")
                host.uri = unquote(line, pair.value);
            else if (pair.key == "memory")
                host.memory = size(line, pair);
            else if (pair.key == "reserve")
                host.reserve = size(line, pair);
            else if (pair.key == "vcpus")
                host.vcpus = whole(line, pair);
            else if (pair.key == "offers")
                host.offers = unquote_list(line, pair, ',');
            else if (pair.key == "fence")
                for (const std::string& level : unquote_list(line, pair, '/'))
                    host.fence.push_back(split(level, ','));
            else
                unknown(line, pair,
                        {"address", "uri", "memory", "reserve", "fence", "vcpus", "offers"});
        }
        return host;
    }

    static FenceDevice read_device(const Line& line, std::string_view agent_key) {
        FenceDevice device;
        device.name = *line.name;
        for (const Pair& pair : line.pairs) {
            if (pair.key == agent_key)
                device.agent = unquote(line, pair.value);
            else if (pair.key == "password_file")
                device.password_file = unquote(line, pair.value);
            else if (pair.key == "password" || pair.key == "passwd")
                line.fail("no secret stands in an inventory; use password_file");
            else
                device.options[pair.key] = unquote(line, pair.value);
        }
        return device;
    }

    static GuestSign sign(const Line& line, const Pair& pair) {
        if (const auto sign = parse_guest_sign(unquote(line, pair.value))) return *sign;
        line.fail("answers: write \"ping ADDRESS\" or \"tcp ADDRESS:PORT\"");
    }

    [[noreturn]] static void unknown_domain_key(const Line& line, const Pair& pair) {
        std::vector<std::string> known{"priority", "class", "answers",    "restart",
                                       "expect",   "move",  "start_delay"};
        for (const DomainList& list : domain_lists()) known.emplace_back(list.key);
        unknown(line, pair, known);
    }

    static Domain read_domain(const Line& line) {
        Domain domain;
        domain.name = *line.name;
        for (const Pair& pair : line.pairs) {
            const auto list =
                std::find_if(domain_lists().begin(), domain_lists().end(),
                             [&](const DomainList& known) { return known.key == pair.key; });
            if (list != domain_lists().end())
                domain.*list->member = unquote_list(line, pair, ',');
            else if (pair.key == "priority")
                domain.priority = whole(line, pair);
            else if (pair.key == "answers")
                domain.answers = sign(line, pair);
            else if (pair.key == "class")
                domain.domain_class = word(line, pair, parse_domain_class);
            else if (pair.key == "restart")
                domain.restart = word(line, pair, parse_restart_policy);
            else if (pair.key == "expect")
                domain.expect = word(line, pair, parse_expected);
            else if (pair.key == "move")
                domain.move = word(line, pair, parse_move_policy);
            else if (pair.key == "start_delay")
                domain.start_delay = span(line, pair);
            else
                unknown_domain_key(line, pair);
        }
        return domain;
    }

    Inventory inventory_;
    std::map<std::string, std::size_t> lines_;  ///< "host[0]" or "policy": its line
};

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
    if (policy.make_room != usual.make_room)
        out.append(" make_room=").append(make_room_name(policy.make_room));
    if (!policy.notify.empty()) out += " notify=" + written(policy.notify);
    if (!policy.seat_file.empty()) out += " seat_file=" + written(policy.seat_file);
    if (!policy.monitor_commands.empty())
        out += " monitor_commands=" + written(policy.monitor_commands);
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
    return out + "\n";
}

}  // namespace

Inventory parse_inventory(std::string_view text) {
    return Parser().run(text);
}

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
