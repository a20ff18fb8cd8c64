// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/aoe_network.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {
namespace {

constexpr Duration first_pause{20};
constexpr Duration longest_pause{320};
/// A second card that answers for the same address does so within this.
constexpr Duration second_answer{3};

std::uint64_t random_number() {
    std::uint64_t out = 0;
    if (getrandom(&out, sizeof out, GRND_INSECURE) != static_cast<ssize_t>(sizeof out))
        out = static_cast<std::uint64_t>(mono_now().time_since_epoch().count());
    return out;
}

std::string target_name(AoeAddress address, const NetworkInterface& interface) {
    return "AoE target " + render_aoe_address(address) + " on " + interface.name;
}

/// Sends what `encode` makes of a tag, again and again, until `accept` takes an answer.
void converse(PacketSocket& socket, const NetworkInterface& interface, const std::string& name,
              const std::function<std::vector<std::uint8_t>(std::uint32_t)>& encode,
              const std::function<bool(const AoeReply&)>& accept, Deadline deadline) {
    const std::uint32_t first = 0x80000000U | (random_number() & 0x7FFFFF00U);
    std::uint32_t sent = 0;
    bool accepted = false;
    int error = 0;
    Duration pause = first_pause;
    const Instant start = mono_now();
    for (Instant now = start; !deadline.passed(now); now = mono_now()) {
        error = socket.send(interface.index, encode(first + sent % 256));
        ++sent;
        const Instant again = std::min(deadline.at, now + pause);
        pause = std::min(pause * 2, longest_pause);
        while (!accepted && mono_now() < again)
            socket.receive(again, [&](int index, std::span<const std::uint8_t> frame) {
                if (accepted || index != interface.index) return;
                const auto reply = decode_aoe_reply(frame);
                if (!reply || reply->header.to != interface.mac) return;
                if (reply->header.tag - first >= std::min<std::uint32_t>(sent, 256)) return;
                accepted = accept(*reply);
            });
        if (accepted) return;
    }
    if (error != 0) throw Unreachable(name + ": can't send: " + std::strerror(error));
    throw TimedOut(late_message(name, start));
}

}  // namespace

AoeSurveyed read_aoe(PacketSocket& socket, const std::vector<NetworkInterface>& interfaces,
                     AoeSurveyOrder order, Deadline deadline) {
    AoeSurveyed out;
    out.trouble.resize(interfaces.size());
    order.ports.clear();
    for (const NetworkInterface& one : interfaces) order.ports.push_back(one.mac);
    order.seed = random_number();
    AoeSurvey survey(std::move(order), mono_now());
    for (Instant now = mono_now(); !deadline.passed(now); now = mono_now()) {
        for (const AoeSurvey::Frame& frame : survey.due(now)) {
            const int error = socket.send(interfaces[frame.port].index, frame.bytes);
            if (error != 0) out.trouble[frame.port] = std::strerror(error);
        }
        if (survey.done()) break;
        socket.receive(std::min(survey.next(), deadline.at),
                       [&](int index, std::span<const std::uint8_t> frame) {
                           const Instant when = mono_now();
                           for (std::size_t i = 0; i < interfaces.size(); ++i)
                               if (interfaces[i].index == index) survey.take(i, frame, when);
                       });
    }
    out.facts = survey.facts();
    return out;
}

AoePlace find_aoe_target(PacketSocket& socket, const NetworkInterface& interface,
                         AoeAddress address, Deadline deadline) {
    AoePlace place{interface, address, {}};
    bool found = false;
    bool second = false;
    const auto encode = [&](std::uint32_t tag) {
        return encode_aoe_config_query({broadcast_mac, interface.mac, address, tag});
    };
    const auto accept = [&](const AoeReply& reply) {
        if (reply.header.address != address || !std::holds_alternative<AoeConfigReply>(reply.body))
            return false;
        second = second || (found && reply.header.from != place.mac);
        if (!found) place.mac = reply.header.from;
        found = true;
        return true;
    };
    const std::string name = target_name(address, interface);
    converse(socket, interface, name, encode, accept, deadline);
    // A reservation at one of two would cut nobody off from the other.
    const Instant end = std::min(deadline.at, mono_now() + second_answer);
    while (mono_now() < end)
        socket.receive(end, [&](int index, std::span<const std::uint8_t> frame) {
            const auto reply = decode_aoe_reply(frame);
            if (index == interface.index && reply && reply->header.to == interface.mac &&
                (reply->header.tag & 0x80000000U) != 0)
                accept(*reply);
        });
    if (second) throw ProtocolError(name + ": two cards answer for this address");
    return place;
}

std::vector<MacAddress> reserve_aoe_target(PacketSocket& socket, const AoePlace& place,
                                           ReserveAction action,
                                           const std::vector<MacAddress>& hosts,
                                           Deadline deadline) {
    const std::string name = target_name(place.address, place.interface);
    std::vector<MacAddress> list;
    std::optional<AoeError> refused;
    const auto encode = [&](std::uint32_t tag) {
        return encode_aoe_reserve({place.mac, place.interface.mac, place.address, tag}, action,
                                  hosts);
    };
    const auto accept = [&](const AoeReply& reply) {
        if (reply.command != AoeCommand::Reserve || reply.header.from != place.mac ||
            reply.header.address != place.address)
            return false;
        refused = reply.error;
        if (const auto* body = std::get_if<AoeReserveReply>(&reply.body)) list = body->hosts;
        return true;
    };
    converse(socket, place.interface, name, encode, accept, deadline);
    if (refused == AoeError::BadCommand) throw ProtocolError(name + " does not know reservations");
    if (refused) throw Denied(name + ": " + aoe_error_text(*refused));
    return list;
}

}  // namespace domkeeper
