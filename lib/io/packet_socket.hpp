// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/core/aoe_codec.hpp"
#include "lib/core/time.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {

/// An Ethernet interface of this machine.
struct NetworkInterface {
    std::string name;
    int index = 0;
    MacAddress mac{};
    bool up = false;    ///< switched on by the administrator
    bool link = false;  ///< and connected to something
};

/// Throws UsageError when there is no such interface, or none with a MAC address.
NetworkInterface read_interface(const std::string& name);

/// Whole Ethernet frames of one protocol on all interfaces. One socket serves them all, since the
/// kernel takes some 15 ms to close each; what is left of a socket is therefore put where the
/// kernel closes it by itself, while the program goes on or ends.
class PacketSocket {
  public:
    /// Opens without listening yet and takes CAP_NET_RAW away from the calling thread: made before
    /// the first other thread and before any input is read, it is the only use of the privilege.
    static PacketSocket open_and_drop_privilege();
    /// Keeps the privilege, for a process that needs it again.
    static PacketSocket open();

    ~PacketSocket();
    PacketSocket(PacketSocket&&) = default;
    PacketSocket& operator=(PacketSocket&&) = delete;
    PacketSocket(const PacketSocket&) = delete;
    PacketSocket& operator=(const PacketSocket&) = delete;

    /// The end of it, for a program that ends without destructors.
    void leave();

    /// Begins to listen. Throws Denied when the socket could not be had, SystemError.
    void listen(std::uint16_t protocol);
    /// 0, or the errno of a frame that could not leave. Never blocks.
    int send(int interface_index, std::span<const std::uint8_t> frame);
    /// Waits for frames until `until` and hands over all that are there; returns at once after
    /// the first batch.
    void receive(
        Instant until,
        const std::function<void(int interface_index, std::span<const std::uint8_t>)>& take);

  private:
    PacketSocket();

    UniqueFd fd_;
    int trouble_ = 0;  ///< errno of the opening
    std::vector<std::uint8_t> buffer_;
};

}  // namespace domkeeper
