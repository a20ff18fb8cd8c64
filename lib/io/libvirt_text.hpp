// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>
#include <memory>

namespace domkeeper {

struct FreeText {
    void operator()(char* text) const { std::free(text); }
};

/// A text that libvirt has made for its caller.
using LibvirtText = std::unique_ptr<char, FreeText>;

}  // namespace domkeeper
