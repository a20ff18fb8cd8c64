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

    static bool read_remedy(const Line& line, const Pair& pair, Remedies& out) {
        for (const RemedyKey& key : remedy_keys()) {
            if (key.key != pair.key) continue;
            out.*key.member = parse_remedy(key, pair.value);
            if (!(out.*key.member)) line.fail(pair.key + ": write " + remedy_words(key));
            return true;
        }
        return false;
    }

    void read_policy_key(const Line& line, const Pair& pair) {
        Policy& policy = inventory_.policy;
        if (read_remedy(line, pair, policy.remedies)) return;
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
            std::vector<std::string> known = policy_keys();
            for (const auto& remedy : remedy_keys()) known.emplace_back(remedy.key);
            unknown(line, pair, known);
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
        line.fail("answers: write \"ping ADDRESS\", \"tcp ADDRESS:PORT\" or agent");
    }

    [[noreturn]] static void unknown_domain_key(const Line& line, const Pair& pair) {
        std::vector<std::string> known{"priority", "class", "answers",    "restart",
                                       "expect",   "move",  "start_delay"};
        for (const DomainList& list : domain_lists()) known.emplace_back(list.key);
        for (const RemedyKey& key : remedy_keys()) known.emplace_back(key.key);
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
            else if (!read_remedy(line, pair, domain.remedies))
                unknown_domain_key(line, pair);
        }
        return domain;
    }

    Inventory inventory_;
    std::map<std::string, std::size_t> lines_;  ///< "host[0]" or "policy": its line
};

}  // namespace

Inventory parse_inventory(std::string_view text) {
    return Parser().run(text);
}

}  // namespace domkeeper
