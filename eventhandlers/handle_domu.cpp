// SPDX-License-Identifier: GPL-3.0-or-later
#include "eventhandlers/domain_event.hpp"
#include "lib/app/run.hpp"
#include "lib/io/toml_config.hpp"

int main(int argc, char** argv) {
    return domkeeper::run_handler(domkeeper::domain_event_program(), argc, argv,
                                  [](const domkeeper::Arguments& arguments, domkeeper::Deadline) {
                                      const auto event = domkeeper::read_domain_event(arguments);
                                      const auto inventory = domkeeper::load_inventory(
                                          domkeeper::config_path(arguments.text("config")));
                                      return domkeeper::hand_over_domain(inventory, event).line;
                                  });
}
