// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xenstore_reader.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "lib/core/memory.hpp"
#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

/// Ends of devices that are judged: a console's never becomes Connected, others are no loss.
constexpr std::array<std::string_view, 4> judged_types{"vbd", "vbd3", "qdisk", "vif"};
constexpr std::size_t longest_name = 128;
constexpr int most_tries = 5;

std::optional<int> domain_number(const std::string& text) {
    const auto number = parse_integer(text);
    if (!number || *number < 0 || *number >= xen_first_reserved_id) return std::nullopt;
    return static_cast<int>(*number);
}

std::string home_of(int id) {
    return "/local/domain/" + std::to_string(id);
}

/// A number written by somebody who may write anything.
std::optional<std::int64_t> small_number(const XsAnswer& answer) {
    if (!answer.good() || answer.value.size() > 20) return std::nullopt;
    return parse_integer(trim(std::string_view(answer.value).substr(0, answer.value.find('\0'))));
}

std::string short_text(const XsAnswer& answer) {
    if (!answer.good()) return {};
    return answer.value.substr(0, std::min(longest_name, answer.value.find('\0')));
}

class Reader {
  public:
    Reader(Xenstore& store, const XenstoreQuestions& questions, Deadline deadline)
        : store_(store), questions_(questions), deadline_(deadline) {
        if (questions_.live == nullptr) return;
        for (const XenDomain& one : *questions_.live) live_[one.id] = &one;
    }

    XenstoreView read() {
        find_domains();
        ask_domains();
        find_backends();
        ask_backends();
        ask_suspects();
        return std::move(view_);
    }

  private:
    /// All at once; what goes beyond the limit is not asked.
    std::vector<XsAnswer> ask(std::vector<XsRequest> requests, const std::string& about) {
        const std::size_t room =
            questions_.most_questions - std::min(asked_, questions_.most_questions);
        const std::size_t wanted = requests.size();
        if (wanted > room) {
            requests.resize(room);
            cut(about);
        }
        asked_ += requests.size();
        std::vector<XsAnswer> answers = store_.ask(requests, deadline_);
        answers.resize(wanted, XsAnswer{"", "not asked"});
        return answers;
    }

    void cut(const std::string& about) {
        constexpr std::size_t enough = 8;
        if (view_.cut.size() < enough) view_.cut.push_back(about);
    }

    /// A list that does not fit into one message, piece by piece.
    std::vector<std::string> long_list(const std::string& path) {
        for (int attempt = 0; attempt < most_tries; ++attempt) {
            std::string names;
            std::string generation;
            for (;;) {
                const XsAnswer answer = ask({xs_directory_part(path, names.size())}, path).front();
                const auto part = answer.good() ? parse_xs_part(answer.value) : std::nullopt;
                if (!part) {
                    cut(path);  // oxenstored before 4.18 has no such call
                    return {};
                }
                if (!generation.empty() && part->generation != generation) break;
                generation = part->generation;
                names += part->names;
                if (part->last) return bounded(path, names);
                if (part->names.empty() || names.size() > questions_.most_names * longest_name) {
                    cut(path);
                    return bounded(path, names);
                }
            }
        }
        cut(path);  // it changes faster than it can be read
        return {};
    }

    std::vector<std::string> bounded(const std::string& path, const std::string& names) {
        auto out = parse_xs_names(names, questions_.most_names + 1);
        if (out.size() > questions_.most_names) {
            out.pop_back();
            cut(path);
        }
        return out;
    }

    std::vector<std::vector<std::string>> lists(const std::vector<std::string>& paths,
                                                const std::string& about) {
        std::vector<XsRequest> requests;
        for (const std::string& path : paths) requests.push_back(xs_directory(path));
        const auto answers = ask(std::move(requests), about);
        std::vector<std::vector<std::string>> out;
        for (std::size_t i = 0; i < paths.size(); ++i) {
            if (answers[i].good())
                out.push_back(bounded(paths[i], answers[i].value));
            else if (answers[i].error == "E2BIG")
                out.push_back(long_list(paths[i]));
            else
                out.emplace_back();
        }
        return out;
    }

    /// The hypervisor knows domains and not this one: its name is all that is said of it.
    bool is_gone(int id) const { return !live_.empty() && live_.count(id) == 0; }

    XsDomain* known(int id) {
        const auto place =
            std::lower_bound(view_.domains.begin(), view_.domains.end(), id,
                             [](const XsDomain& one, int wanted) { return one.id < wanted; });
        return place != view_.domains.end() && place->id == id ? &*place : nullptr;
    }

    void find_domains() {
        const auto found = lists({"/local/domain", "/libxl"}, "the list of domains");
        std::map<int, XsDomain> by_id;
        for (const std::string& name : found[0])
            if (const auto id = domain_number(name)) by_id[*id].has_home = true;
        for (const std::string& name : found[1])
            if (const auto id = domain_number(name)) by_id[*id].has_libxl = true;
        for (auto& [id, one] : by_id) {
            one.id = id;
            view_.domains.push_back(std::move(one));
        }
        const auto answers = ask({xs_control({"quota"})}, "the quotas");
        const auto table =
            answers[0].good() ? parse_xs_quota_table(answers[0].value) : std::vector<XsQuotaRow>();
        for (const XsQuotaRow& row : table) limits_[row.name] = row.value;
        view_.is_oxenstored = limits_.empty();
    }

    void ask_domains() {
        std::vector<XsDomain*> there;
        std::vector<XsRequest> requests;
        for (XsDomain& one : view_.domains) {
            if (is_gone(one.id)) continue;
            there.push_back(&one);
            const std::string home = home_of(one.id);
            requests.push_back(xs_read(home + "/control/shutdown"));
            requests.push_back(xs_control({"quota", std::to_string(one.id)}));
            if (!questions_.heartbeat.empty())
                requests.push_back(xs_read(home + "/" + questions_.heartbeat));
        }
        const std::size_t each = questions_.heartbeat.empty() ? 2 : 3;
        const auto answers = ask(std::move(requests), "the domains");
        for (std::size_t i = 0; i < there.size(); ++i) {
            const XsAnswer* const answer = &answers[i * each];
            XsDomain& one = *there[i];
            one.shutdown = short_text(answer[0]);
            if (one.id != 0) one.uses = uses_of(answer[1]);
            if (each == 3 && answer[2].good()) one.heartbeat = digest(answer[2].value);
        }
        ask_device_models();
    }

    void ask_device_models() {
        std::vector<XsDomain*> served;
        std::vector<XsRequest> requests;
        const auto listed = lists({"/local/domain/0/device-model"}, "QEMUs");
        for (const std::string& name : listed[0]) {
            const auto id = domain_number(name);
            XsDomain* const one = id ? known(*id) : nullptr;
            if (one == nullptr) continue;
            served.push_back(one);
            requests.push_back(xs_read(home_of(one->id) + "/image/device-model-pid"));
        }
        const auto answers = ask(std::move(requests), "QEMUs");
        for (std::size_t i = 0; i < served.size(); ++i) {
            served[i]->device_model = small_number(answers[i]);
            served[i]->device_model_runs = !served[i]->device_model ||
                                           !questions_.device_model_runs ||
                                           questions_.device_model_runs(*served[i]->device_model);
        }
    }

    /// The name, and whether xenstored serves it, of each domain that something may be said of.
    void ask_suspects() {
        std::map<int, bool> connected;  // by domain: all of its devices
        std::set<int> servers;          // of devices that are not
        for (const XsBackend& one : view_.backends) {
            if (!serves(one)) servers.insert(one.home);
            const auto place = connected.emplace(one.domain, true).first;
            place->second = place->second && serves(one);
        }
        std::vector<XsDomain*> suspects;
        std::vector<XsDomain*> gone;
        std::vector<XsRequest> requests;
        for (XsDomain& one : view_.domains) {
            if (is_gone(one.id)) {
                gone.push_back(&one);
                continue;
            }
            const bool full = std::any_of(one.uses.begin(), one.uses.end(), [](const XsUse& use) {
                return use.used > use.limit / 2;
            });
            const auto devices = connected.find(one.id);
            const auto live = live_.find(one.id);
            const bool runs = live != live_.end() && !live->second->dying &&
                              !live->second->shut_down && !live->second->paused;
            // A guest whose end of a device is connected is served by xenstored.
            if (devices != connected.end() && devices->second && runs && one.shutdown.empty() &&
                one.device_model_runs && !full && !one.heartbeat && servers.count(one.id) == 0) {
                one.introduced = true;
                continue;
            }
            suspects.push_back(&one);
            requests.push_back(xs_read(home_of(one.id) + "/name"));
            requests.push_back(xs_is_introduced(one.id));
        }
        for (const XsDomain* const one : gone)
            requests.push_back(xs_read(home_of(one->id) + "/name"));
        const auto answers = ask(std::move(requests), "the domains");
        for (std::size_t i = 0; i < gone.size(); ++i)
            gone[i]->name = short_text(answers[2 * suspects.size() + i]);
        for (std::size_t i = 0; i < suspects.size(); ++i) {
            suspects[i]->name = short_text(answers[2 * i]);
            suspects[i]->introduced =
                answers[2 * i + 1].good() && starts_with(answers[2 * i + 1].value, "T");
        }
    }

    std::vector<XsUse> uses_of(const XsAnswer& answer) const {
        std::vector<XsUse> uses;
        if (!answer.good()) return uses;
        if (view_.is_oxenstored) {
            if (const auto use = parse_oxenstored_quota(answer.value))
                uses.push_back({"nodes", use->used, use->limit});
            return uses;
        }
        for (const XsQuotaRow& row : parse_xs_quota_table(answer.value)) {
            const auto limit = limits_.find(row.name);
            // A limit of 0 is none.
            if (limit != limits_.end() && limit->second > 0)
                uses.push_back({row.name, row.value, limit->second});
        }
        return uses;
    }

    void find_backends() {
        struct Place {
            int home;
            std::string type;
            std::string path;
        };
        std::vector<std::string> paths;
        std::vector<int> homes;
        for (const XsDomain& one : view_.domains) {
            if (one.id != 0 && !questions_.driver_domains) continue;
            homes.push_back(one.id);
            paths.push_back(home_of(one.id) + "/backend");
        }
        const auto types = lists(paths, "the backends");
        std::vector<Place> places;
        for (std::size_t i = 0; i < paths.size(); ++i)
            for (const std::string& type : types[i])
                if (std::find(judged_types.begin(), judged_types.end(), type) != judged_types.end())
                    places.push_back({homes[i], type, paths[i] + "/" + type});
        paths.clear();
        for (const Place& place : places) paths.push_back(place.path);
        const auto users = lists(paths, "the backends");
        std::vector<Place> of_users;
        std::vector<int> user_ids;
        for (std::size_t i = 0; i < places.size(); ++i)
            for (const std::string& user : users[i])
                if (const auto id = domain_number(user)) {
                    of_users.push_back(
                        {places[i].home, places[i].type, places[i].path + "/" + user});
                    user_ids.push_back(*id);
                }
        paths.clear();
        for (const Place& place : of_users) paths.push_back(place.path);
        const auto devices = lists(paths, "the backends");
        for (std::size_t i = 0; i < of_users.size(); ++i)
            for (const std::string& device : devices[i]) {
                XsBackend backend;
                backend.home = of_users[i].home;
                backend.type = of_users[i].type;
                backend.domain = user_ids[i];
                backend.device = device.substr(0, longest_name);
                if (backend.device == device) view_.backends.push_back(std::move(backend));
            }
    }

    static std::string path_of(const XsBackend& backend) {
        return home_of(backend.home) + "/backend/" + backend.type + "/" +
               std::to_string(backend.domain) + "/" + backend.device;
    }

    void ask_backends() {
        std::vector<XsBackend*> used;
        std::vector<XsRequest> requests;
        for (XsBackend& one : view_.backends) {
            if (is_gone(one.domain)) continue;
            used.push_back(&one);
            requests.push_back(xs_read(path_of(one) + "/state"));
        }
        const auto states = ask(std::move(requests), "the backends");
        std::vector<XsBackend*> bad;
        for (std::size_t i = 0; i < used.size(); ++i) {
            XsBackend& one = *used[i];
            one.state = small_number(states[i]);
            one.has_driver = one.home != 0 || !questions_.has_driver || questions_.has_driver(one);
            if (!serves(one)) bad.push_back(&one);
        }
        // Only of what is wrong more is asked.
        requests.clear();
        for (const XsBackend* const one : bad) {
            const bool network = one->type == "vif";
            requests.push_back(xs_read(path_of(*one) + (network ? "/vifname" : "/dev")));
            requests.push_back(xs_read(path_of(*one) + "/frontend"));
        }
        const auto details = ask(std::move(requests), "the backends");
        std::vector<XsRequest> fronts;
        for (std::size_t i = 0; i < bad.size(); ++i) {
            bad[i]->label = short_text(details[2 * i]);
            // Only a path of the right domain is followed, whoever wrote it.
            const std::string front = short_text(details[2 * i + 1]);
            const std::string device = home_of(bad[i]->domain) + "/device/";
            fronts.push_back(xs_read(
                (starts_with(front, device)
                     ? front
                     : device + (bad[i]->type == "vif" ? "vif/" : "vbd/") + bad[i]->device) +
                "/state"));
        }
        const auto front_states = ask(std::move(fronts), "the backends");
        for (std::size_t i = 0; i < bad.size(); ++i)
            bad[i]->frontend_state = small_number(front_states[i]);
    }

    Xenstore& store_;
    const XenstoreQuestions& questions_;
    const Deadline deadline_;
    std::map<int, const XenDomain*> live_;
    XenstoreView view_;
    std::map<std::string, std::int64_t> limits_;
    std::size_t asked_ = 0;
};

}  // namespace

XenstoreView read_xenstore(Xenstore& store, const XenstoreQuestions& questions, Deadline deadline) {
    return Reader(store, questions, deadline).read();
}

}  // namespace domkeeper
