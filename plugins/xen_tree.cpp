// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/xen_tree.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "lib/core/text.hpp"

namespace domkeeper {
namespace {

constexpr std::size_t longest_name = 128;
constexpr std::size_t most_names = 4096;

std::string home_of(int id) {
    return "/local/domain/" + std::to_string(id);
}

std::string text_of(const XsAnswer& answer) {
    if (!answer.good()) return {};
    return answer.value.substr(0, std::min(longest_name, answer.value.find('\0')));
}

/// A name that may become a part of a file's name in /sys.
std::string interface_name(const XsAnswer& answer) {
    const std::string name = text_of(answer);
    const bool plain = !name.empty() && name.size() < 16 && name.find('/') == std::string::npos &&
                       name != "." && name != "..";
    return plain ? name : std::string();
}

}  // namespace

std::map<int, XenTreeView> read_xen_tree(Xenstore& store, const std::vector<int>& domains,
                                         Deadline deadline) {
    std::map<int, XenTreeView> out;
    std::vector<XsRequest> requests;
    for (const int id : domains) {
        requests.push_back(xs_read(home_of(id) + "/name"));
        requests.push_back(xs_read(home_of(id) + "/memory/target"));
        requests.push_back(xs_directory(home_of(id) + "/cpu"));
    }
    const auto answers = store.ask(requests, deadline);
    requests.clear();
    std::vector<int> owners;
    for (std::size_t i = 0; i < domains.size(); ++i) {
        XenTreeView& view = out[domains[i]];
        view.name = text_of(answers[3 * i]);
        const auto target = parse_integer(text_of(answers[3 * i + 1]));
        constexpr std::int64_t most_kib = std::int64_t{1} << 40;
        if (target && *target > 0 && *target < most_kib) view.memory_target = kibibytes(*target);
        if (!answers[3 * i + 2].good()) continue;
        for (const std::string& cpu : parse_xs_names(answers[3 * i + 2].value, most_names)) {
            requests.push_back(xs_read(home_of(domains[i]) + "/cpu/" + cpu + "/availability"));
            owners.push_back(domains[i]);
        }
    }
    const auto cpus = store.ask(requests, deadline);
    for (std::size_t i = 0; i < cpus.size(); ++i)
        if (text_of(cpus[i]) == "online") ++out[owners[i]].vcpus_wanted;
    return out;
}

std::vector<VifView> read_vifs(Xenstore& store, const std::vector<int>& domains,
                               Deadline deadline) {
    const auto folder = [](int id) { return "/local/domain/0/backend/vif/" + std::to_string(id); };
    std::vector<XsRequest> requests;
    for (const int id : domains) requests.push_back(xs_directory(folder(id)));
    const auto lists = store.ask(requests, deadline);
    requests.clear();
    std::vector<VifView> out;
    for (std::size_t i = 0; i < domains.size(); ++i) {
        if (!lists[i].good()) continue;
        for (const std::string& device : parse_xs_names(lists[i].value, most_names)) {
            if (!parse_integer(device)) continue;
            VifView view;
            view.domain = domains[i];
            view.name = "vif" + std::to_string(domains[i]) + "." + device;
            out.push_back(std::move(view));
            const std::string path = folder(domains[i]) + "/" + device;
            requests.push_back(xs_read(path + "/bridge"));
            requests.push_back(xs_read(path + "/vifname"));
        }
    }
    const auto answers = store.ask(requests, deadline);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].bridge = interface_name(answers[2 * i]);
        if (const std::string name = interface_name(answers[2 * i + 1]); !name.empty())
            out[i].name = name;
    }
    std::erase_if(out, [](const VifView& one) { return one.name.size() >= 16; });
    return out;
}

}  // namespace domkeeper
