// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/host_event.hpp"
#include "eventhandlers/worker.hpp"
#include "lib/app/run.hpp"
#include "lib/io/toml_config.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_handler(
        domkeeper::host_event_program(), argc, argv,
        [](const domkeeper::Arguments& arguments, domkeeper::Deadline) {
            const auto inventory =
                domkeeper::load_inventory(domkeeper::config_path(arguments.text("config")));
            return domkeeper::hand_over(inventory, domkeeper::read_host_event(arguments)).line;
        });
}
