// SPDX-License-Identifier: GPL-3.0-or-later
#include "plugins/target.hpp"

#include <algorithm>

#include "lib/app/cluster_file_row.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/core/uri.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {

std::vector<Option> target_options() {
    return {
        {.name = "connect",
         .letter = 'u',
         .value_name = "URI",
         .help = "The libvirt connection of the host, such as qemu+tcp://xen1/system.",
         .aliases = {"uri"}},
        {.name = "host",
         .letter = 'H',
         .value_name = "NAME",
         .help = "The host, by its name in the cluster file.",
         .monitor_macro = "$HOSTNAME$"},
        cluster_file_row(),
    };
}

Target read_target(const Arguments& arguments) {
    const std::string uri = arguments.text("connect");
    const std::string name = arguments.text("host");
    if (uri.empty() == name.empty())
        throw UsageError("one of --connect URI and --host NAME is needed, and not both");
    Target target;
    if (!uri.empty()) {
        target.name = shown_uri(uri);
        target.uri = uri;
        return target;
    }
    const std::string path = config_path(arguments.text("config"));
    target.inventory = load_inventory(path);
    const Host* const host = target.inventory->find_host(name);
    if (host == nullptr) {
        std::vector<std::string> names;
        for (const Host& one : target.inventory->hosts) names.push_back(one.name);
        const auto near = closest(name, names);
        throw UsageError(printable(path) + " has no host '" + printable(name, 64) + "'" +
                         (near ? "; did you mean '" + *near + "'?" : ""));
    }
    target.name = host->name;
    target.uri = host->uri;
    return target;
}

Deadline reading_deadline(Deadline deadline, Duration timeout) {
    return Deadline{deadline.at - std::min(Duration{100}, timeout / 10)};
}

}  // namespace domkeeper
