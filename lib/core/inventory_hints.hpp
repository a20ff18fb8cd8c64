// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/core/inventory_check.hpp"

namespace domkeeper {

/// Inner parts of inventory_check*.cpp: how a problem is worded.
std::string quoted_name(std::string_view text);                    ///< at most 80 characters
std::string element_of(std::string_view list, std::size_t index);  ///< "host[1]"
/// "; did you mean "xen1"?" or what there is to choose from.
std::string name_hint(const std::string& name, const std::vector<std::string>& known);

/// Collects what is wrong with a part of the inventory; for a checker to derive from.
class ProblemCollector {
  protected:
    void error(std::string path, std::string text) {
        problems_.push_back({std::move(path), std::move(text), false});
    }
    void warn(std::string path, std::string text) {
        problems_.push_back({std::move(path), std::move(text), true});
    }

    std::vector<InventoryProblem> problems_;
};

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& things) {
    std::vector<std::string> names;
    for (const T& thing : things) names.push_back(thing.name);
    return names;
}

}  // namespace domkeeper
