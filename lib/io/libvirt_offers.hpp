// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "lib/core/offers.hpp"
#include "lib/io/libvirt_connection.hpp"

namespace domkeeper {

/// What the far side offers to domains: architectures and kinds of guests by its capabilities, its
/// active interfaces, networks and storage pools. A kind of which the driver knows nothing is left
/// out. Four calls; blocks as long as the far side likes.
Labels read_offers(const std::shared_ptr<LibvirtConnection>& connection);

}  // namespace domkeeper
