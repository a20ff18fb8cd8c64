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
        : store_(store), questions_(questions), deadline_(deadline) {}

    XenstoreView read() {
        find_domains();
        ask_domains();
        find_backends();
        ask_backends();
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

    XsDomain& domain(int id) {
        const auto place =
            std::lower_bound(view_.domains.begin(), view_.domains.end(), id,
                             [](const XsDomain& one, int wanted) { return one.id < wanted; });
        if (place != view_.domains.end() && place->id == id) return *place;
        XsDomain fresh;
        fresh.id = id;
        return *view_.domains.insert(place, fresh);
    }

    void find_domains() {
        const auto found = lists({"/local/domain", "/libxl"}, "the list of domains");
        for (const std::string& name : found[0])
            if (const auto id = domain_number(name)) domain(*id).has_home = true;
        for (const std::string& name : found[1])
            if (const auto id = domain_number(name)) domain(*id).has_libxl = true;
        const auto answers = ask({xs_control({"quota"})}, "the quotas");
        const auto table =
            answers[0].good() ? parse_xs_quota_table(answers[0].value) : std::vector<XsQuotaRow>();
        for (const XsQuotaRow& row : table) limits_[row.name] = row.value;
        view_.is_oxenstored = limits_.empty();
    }

    void ask_domains() {
        std::vector<XsRequest> requests;
        for (const XsDomain& one : view_.domains) {
            const std::string home = home_of(one.id);
            requests.push_back(xs_read(home + "/name"));
            requests.push_back(xs_read(home + "/control/shutdown"));
            requests.push_back(xs_is_introduced(one.id));
            requests.push_back(xs_control({"quota", std::to_string(one.id)}));
            requests.push_back(xs_read(home + "/image/device-model-pid"));
            if (!questions_.heartbeat.empty())
                requests.push_back(xs_read(home + "/" + questions_.heartbeat));
        }
        const std::size_t each = questions_.heartbeat.empty() ? 5 : 6;
        const auto answers = ask(std::move(requests), "the domains");
        for (std::size_t i = 0; i < view_.domains.size(); ++i) {
            const XsAnswer* const answer = &answers[i * each];
            XsDomain& one = view_.domains[i];
            one.name = short_text(answer[0]);
            one.shutdown = short_text(answer[1]);
            one.introduced = answer[2].good() && starts_with(answer[2].value, "T");
            if (one.id != 0) one.uses = uses_of(answer[3]);
            one.device_model = small_number(answer[4]);
            one.device_model_runs = !one.device_model || !questions_.device_model_runs ||
                                    questions_.device_model_runs(*one.device_model);
            if (each == 6 && answer[5].good()) one.heartbeat = digest(answer[5].value);
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
        for (const XsDomain& one : view_.domains) paths.push_back(home_of(one.id) + "/backend");
        const auto types = lists(paths, "the backends");
        std::vector<Place> places;
        for (std::size_t i = 0; i < paths.size(); ++i)
            for (const std::string& type : types[i])
                if (std::find(judged_types.begin(), judged_types.end(), type) != judged_types.end())
                    places.push_back({view_.domains[i].id, type, paths[i] + "/" + type});
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
        std::vector<XsRequest> requests;
        for (const XsBackend& one : view_.backends)
            requests.push_back(xs_read(path_of(one) + "/state"));
        const auto states = ask(std::move(requests), "the backends");
        std::vector<XsBackend*> bad;
        for (std::size_t i = 0; i < states.size(); ++i) {
            view_.backends[i].state = small_number(states[i]);
            if (view_.backends[i].state != xenbus_connected) bad.push_back(&view_.backends[i]);
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
    XenstoreView view_;
    std::map<std::string, std::int64_t> limits_;
    std::size_t asked_ = 0;
};

}  // namespace

XenstoreView read_xenstore(Xenstore& store, const XenstoreQuestions& questions, Deadline deadline) {
    return Reader(store, questions, deadline).read();
}

}  // namespace domkeeper
