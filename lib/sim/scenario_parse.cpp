// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include "lib/core/error.hpp"
#include "lib/core/inventory_text.hpp"
#include "lib/core/text.hpp"
#include "lib/sim/scenario.hpp"
#include "lib/sim/world.hpp"

namespace domkeeper {
namespace {

/// Number of words that a timed command takes after its name: from, to (-1: any).
struct CommandForm {
    int least;
    int most;
};

const std::map<std::string, CommandForm>& command_forms() {
    static const std::map<std::string, CommandForm> forms{
        {"report", {3, -1}},       {"recover", {1, 2}},     {"power-cut", {1, 1}},
        {"power-on", {1, 1}},      {"cut", {1, 1}},         {"join", {1, 1}},
        {"hang", {1, 1}},          {"unhang", {1, 1}},      {"monitor-cut", {0, 0}},
        {"monitor-join", {0, 0}},  {"witness", {2, 2}},     {"device", {2, 2}},
        {"start-fails", {1, 2}},   {"start-takes", {2, 2}}, {"unstable", {1, 1}},
        {"mute", {1, 2}},          {"unmute", {1, 2}},      {"pauses", {1, 1}},
        {"state-unknown", {1, 1}}, {"state-known", {1, 1}}, {"migrate", {2, 2}},
        {"disk-full", {0, 0}},     {"disk-ok", {0, 0}},     {"disarm", {0, 1}},
        {"arm", {0, 0}},           {"kill-worker", {0, 0}}, {"worker", {0, 0}},
        {"release", {1, 1}},       {"evacuate", {1, 3}},    {"return", {1, 2}},
        {"stop", {1, 1}},          {"not-live", {1, 1}},    {"not-pausable", {1, 1}},
        {"move-fails", {1, 2}},    {"move-takes", {1, 1}},  {"unseen-disk", {2, 2}},
        {"free", {2, 2}},          {"storage", {2, 2}},     {"autostart-on", {2, 2}},
        {"snapshots", {1, 1}},     {"seat", {1, 1}},        {"monitor-starts", {0, 0}},
        {"balance", {0, 0}}};
    return forms;
}

/// With those about single domains.
const std::map<std::string, CommandForm>& all_forms() {
    static const auto all = [] {
        auto forms = command_forms();
        for (const char* word : {"crash", "panic", "io-error", "shutdown", "destroy", "suspend",
                                 "autostart", "guest-hangs", "hold", "unhold"})
            forms[word] = {1, 1};
        forms["crashes"] = {1, 2};
        forms["check"] = {0, 0};
        forms["start-by-hand"] = {2, 2};
        forms["report-domain"] = forms["report-domains"] = {2, -1};
        return forms;
    }();
    return all;
}

class Parser {
  public:
    Scenario parse(std::string_view text) {
        std::string inventory_lines;
        for (const std::string& raw : split(text, '\n')) {
            ++line_;
            const std::string line(trim(raw));
            const std::vector<std::string> words = words_of(line);
            static const std::set<std::string> inventory_words{"cluster", "policy", "host",
                                                               "device",  "domain", "storage"};
            const bool inventory = !words.empty() && inventory_words.count(words[0]) != 0;
            // Empty lines in between keep the inventory parser's line numbers true.
            inventory_lines += (inventory ? line : std::string{}) + "\n";
            if (!inventory && !words.empty() && words[0][0] != '#') take(words);
        }
        scenario_.inventory = parse_inventory(inventory_lines);
        check_names();
        return std::move(scenario_);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw UsageError("line " + std::to_string(line_) + ": " + what);
    }
    Duration duration(const std::string& word) const {
        if (const auto span = parse_duration(word)) return *span;
        fail("'" + printable(word) + "' is no time span such as 400ms, 5s or 2h");
    }
    void need(const std::vector<std::string>& words, std::size_t least, const char* form) const {
        if (words.size() < least) fail(std::string("write: ") + form);
    }

    void take(const std::vector<std::string>& words) {
        if (words[0] == "runs") return take_runs(words);
        if (words[0] == "disks") {
            need(words, 3, "disks DOMAIN SOURCE ...");
            scenario_.disks[words[1]].assign(words.begin() + 2, words.end());
        } else if (words[0] == "offers") {
            need(words, 3, "offers HOST LABEL ...");
            scenario_.offers[words[1]].insert(words.begin() + 2, words.end());
        } else if (words[0] == "record-age") {
            need(words, 3, "record-age HOST DURATION");
            scenario_.record_age[words[1]] = duration(words[2]);
        } else if (words[0] == "no-record") {
            need(words, 2, "no-record HOST");
            scenario_.no_record.push_back(words[1]);
        } else if (words[0] == "disarmed") {
            scenario_.disarmed = join({words.begin() + 1, words.end()}, " ");
        } else if (words[0] == "crash-at") {
            need(words, 2, "crash-at N ...");
            for (std::size_t i = 1; i < words.size(); ++i) {
                const auto point = parse_integer(words[i]);
                if (!point || *point < 1) fail("'" + printable(words[i]) + "' is no crash point");
                scenario_.crash_at.insert(static_cast<long>(*point));
            }
        } else if (words[0] == "until") {
            need(words, 2, "until TIME");
            scenario_.until = duration(words[1]);
        } else if (words[0] == "at") {
            take_timed(words);
        } else {
            fail("'" + printable(words[0]) + "' begins no line of a scenario");
        }
    }

    void take_runs(const std::vector<std::string>& words) {
        need(words, 3, "runs HOST DOMAIN=SIZE ...");
        for (std::size_t i = 2; i < words.size(); ++i) {
            const auto equals = words[i].find('=');
            const auto slash = words[i].find('/', std::min(equals, words[i].size()));
            const auto size = equals == std::string::npos
                                  ? std::nullopt
                                  : parse_bytes(words[i].substr(equals + 1, slash - equals - 1));
            const auto vcpus = slash == std::string::npos
                                   ? std::optional<std::int64_t>(1)
                                   : parse_integer(words[i].substr(slash + 1));
            if (!size || !vcpus || *vcpus < 1 || *vcpus > 4096)
                fail("'" + printable(words[i]) +
                     "' is no DOMAIN=SIZE[/VCPUS] such as web1=1GiB or db1=8GiB/4");
            scenario_.runs[words[1]].push_back(
                {words[i].substr(0, equals), *size, static_cast<int>(*vcpus)});
        }
    }

    void take_timed(const std::vector<std::string>& words) {
        need(words, 3, "at TIME COMMAND ...");
        const auto form = all_forms().find(words[2]);
        if (form == all_forms().end()) {
            std::vector<std::string> names;
            for (const auto& [name, ignored] : all_forms()) names.push_back(name);
            const auto meant = closest(words[2], names);
            fail("no command '" + printable(words[2]) + "'" +
                 (meant ? ", is '" + *meant + "' meant?" : ""));
        }
        const int count = static_cast<int>(words.size()) - 3;
        if (count < form->second.least || (form->second.most >= 0 && count > form->second.most))
            fail("'" + words[2] + "' takes another number of words");
        scenario_.timed.push_back({duration(words[1]), line_, {words.begin() + 2, words.end()}});
    }

    void check_names() {
        for (const auto& [host, domains] : scenario_.runs)
            if (scenario_.inventory.find_host(host) == nullptr)
                throw UsageError("runs: no host '" + host + "'");
        static const std::set<std::string> with_host{
            "recover", "power-cut",   "power-on",    "cut",     "join",           "hang",
            "unhang",  "start-fails", "start-takes", "release", "evacuate",       "return",
            "stop",    "move-fails",  "unseen-disk", "free",    "report-domains", "snapshots"};
        for (const Scenario::Timed& timed : scenario_.timed) {
            line_ = timed.line;
            if (with_host.count(timed.words[0]) != 0 &&
                scenario_.inventory.find_host(timed.words[1]) == nullptr)
                fail("no host '" + printable(timed.words[1]) + "'");
            if (timed.words[0] == "device") check_device(timed.words);
            if (timed.words[0] == "storage") check_storage(timed.words);
            if (timed.words[0] == "report" &&
                (!parse_host_state(timed.words[2]) || !parse_state_type(timed.words[3])))
                fail("write: report HOST UP|DOWN|UNREACHABLE|STORAGE-LOST SOFT|HARD TEXT");
            if (starts_with(timed.words[0], "report-domain") && !parse_state_type(timed.words[2]))
                fail("write: " + timed.words[0] + " NAME SOFT|HARD TEXT");
            if (timed.words[0] == "start-takes") (void)duration(timed.words[2]);
            static const std::set<std::string> host_second{"autostart-on", "migrate",
                                                           "start-by-hand"};
            if (host_second.count(timed.words[0]) != 0 &&
                scenario_.inventory.find_host(timed.words[2]) == nullptr)
                fail("no host '" + printable(timed.words[2]) + "'");
        }
        std::stable_sort(scenario_.timed.begin(), scenario_.timed.end(),
                         [](const auto& a, const auto& b) { return a.at < b.at; });
    }

    void check_storage(const std::vector<std::string>& words) const {
        const auto& known = scenario_.inventory.storages;
        if (std::none_of(known.begin(), known.end(),
                         [&](const StorageNode& storage) { return storage.name == words[1]; }))
            fail("no storage '" + printable(words[1]) + "'");
        if (words[2] != "up" && words[2] != "down" && words[2] != "unasked")
            fail("write: storage NAME up|down|unasked");
    }

    void check_device(const std::vector<std::string>& words) const {
        if (scenario_.inventory.find_device(words[1]) == nullptr)
            fail("no device '" + printable(words[1]) + "'");
        if (!parse_device_mode(words[2]) && !parse_duration(words[2]))
            fail("'" + printable(words[2]) + "' is neither a mode of a device nor a time span");
    }

    Scenario scenario_;
    int line_ = 0;
};

constexpr std::string_view separator = "\n----\n";

}  // namespace

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    for (const std::string& word : split(line, ' '))
        if (!word.empty()) words.push_back(word);
    return words;
}

ScenarioFile split_scenario(const std::string& text) {
    const auto at = text.find(separator);
    if (at == std::string::npos) return {text, {}};
    return {text.substr(0, at + 1), text.substr(at + separator.size())};
}

std::string join_scenario(const ScenarioFile& file) {
    std::string text = file.head;
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text.append(separator.substr(1)) + file.expected;
}

std::string render_outcome(const ScenarioOutcome& outcome) {
    std::string text;
    for (const std::string& line : outcome.log) text += line + "\n";
    text += "finally\n";
    for (const std::string& line : outcome.final_state) text += "  " + line + "\n";
    return text;
}

Scenario parse_scenario(std::string_view text) {
    return Parser().parse(text);
}

}  // namespace domkeeper
