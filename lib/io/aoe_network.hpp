// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/aoe_survey.hpp"
#include "lib/io/packet_socket.hpp"

namespace domkeeper {

constexpr std::uint16_t aoe_ether_type = 0x88A2;

struct AoeSurveyed {
    AoeFacts facts;
    std::vector<std::string> trouble;  ///< by interface: why frames could not leave; else empty
};

/// Holds the survey's conversation on real interfaces; `order.ports` and the seed are filled in
/// here. Ends at the deadline at the latest. The socket must be listening.
AoeSurveyed read_aoe(PacketSocket& socket, const std::vector<NetworkInterface>& interfaces,
                     AoeSurveyOrder order, Deadline deadline);

/// Where a target answers.
struct AoePlace {
    NetworkInterface interface;
    AoeAddress address;
    MacAddress mac{};
};

/// Asks for one target on one interface. Throws TimedOut when nobody answers by the deadline,
/// Unreachable when nothing can be sent, ProtocolError when two cards answer for one address.
AoePlace find_aoe_target(PacketSocket& socket, const NetworkInterface& interface,
                         AoeAddress address, Deadline deadline);

/// Reads or sets who may use the target and returns the list that it answers with. A request is
/// sent again while there is no answer: setting a list twice is the same as once. Throws TimedOut,
/// Unreachable, and ProtocolError when the target does not know reservations.
std::vector<MacAddress> reserve_aoe_target(PacketSocket& socket, const AoePlace& place,
                                           ReserveAction action,
                                           const std::vector<MacAddress>& hosts, Deadline deadline);

}  // namespace domkeeper
