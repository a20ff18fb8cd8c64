// SPDX-License-Identifier: GPL-3.0-or-later
// `domkeeper what-if`: could the cluster bear a loss or a change?
#include <iostream>

#include "eventhandlers/commands.hpp"
#include "lib/app/report_what_if.hpp"
#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/glpk_packing.hpp"
#include "lib/io/sqlite_record.hpp"
#include "lib/io/toml_config.hpp"

namespace domkeeper {
namespace {

/// "db2=8GiB"; what the cluster file says of that name holds for it.
Want added_domain(const std::string& word, const Inventory& inventory) {
    const std::size_t equals = word.find('=');
    const std::optional<Bytes> memory =
        equals == std::string::npos ? std::nullopt : parse_bytes(word.substr(equals + 1));
    if (!memory || memory->count <= 0 || equals == 0)
        throw UsageError("--add-domain: \"" + printable(word, 80) +
                         "\" is no NAME=SIZE; such as db2=8GiB would be right");
    const std::string name = word.substr(0, equals);
    const Domain* const listed = inventory.find_domain(name);
    return listed == nullptr ? Want{name, *memory, 0, {}, {}} : want_of(*listed, *memory);
}

WhatIf question_of(const Arguments& arguments, const Inventory& inventory) {
    WhatIf question;
    question.without = hosts_given(arguments, "without-host", inventory);
    question.lost = hosts_given(arguments, "lost", inventory);
    for (const std::string& word : arguments.all("add-domain"))
        question.added.push_back(added_domain(word, inventory));
    const std::int64_t survive = arguments.integer("survive").value_or(inventory.policy.survive);
    if (survive < 0 || survive > 1000)
        throw UsageError("--survive must be 0 to 1000, not " + std::to_string(survive));
    question.survive = static_cast<std::size_t>(survive);
    return question;
}

int run_what_if(const Arguments& arguments) {
    const Inventory inventory = load_inventory(config_path(arguments.text("config")));
    const WhatIf question = question_of(arguments, inventory);
    std::map<std::string, HostView> views;
    std::map<std::string, std::string> silent;
    for (auto& [host, last] : read_peers(inventory, {})) {
        if (last.view)
            views.emplace(host, std::move(*last.view));
        else
            silent.emplace(host, last.why);
    }
    const ClusterRecord record = SqliteRecord(inventory.state_dir).read();
    const WhatIfAnswer answer = answer_what_if(loads_of(inventory, views, record), question,
                                               {glpk_packing(), inventory.policy.make_room});
    std::cout << (arguments.flag("json") ? what_if_json(answer, silent).render()
                                         : render_what_if(answer, silent));
    return answer.all_fit() ? 0 : 1;
}

}  // namespace

Command what_if_command() {
    return {{.name = "what-if",
             .help = "Say whether the cluster could bear a loss or a change: any host lost (the "
                     "default), these hosts lost at once, a new domain, a host taken away. Counts "
                     "every rule of placement as the recovery does, and changes nothing. Exit "
                     "code 1: a domain would have no place.",
             .options = {{.name = "lost",
                          .value_name = "HOST",
                          .help = "A host that is assumed lost; several with commas.",
                          .repeatable = true},
                         {.name = "add-domain",
                          .value_name = "NAME=SIZE",
                          .help = "A new domain and its memory, such as db2=8GiB.",
                          .repeatable = true},
                         {.name = "without-host",
                          .value_name = "HOST",
                          .help = "A host taken out for good, before anything is lost.",
                          .repeatable = true},
                         {.name = "survive",
                          .type = ValueType::Integer,
                          .value_name = "N",
                          .help = "Hosts lost at once when none is named. Default: the policy's "
                                  "survive."}}},
            run_what_if};
}

}  // namespace domkeeper
