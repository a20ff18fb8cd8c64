// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lib/core/icmp_codec.hpp"
#include "lib/io/resolver.hpp"
#include "lib/io/unique_fd.hpp"

namespace domkeeper {

/// Sends echo requests to any address of one IP version and takes in the replies. First without
/// privilege (Linux's ping sockets, where net.ipv4.ping_group_range allows them), else as a raw
/// socket (CAP_NET_RAW).
class PingSocket {
  public:
    explicit PingSocket(IpVersion version);

    /// -1 where neither kind is permitted; trouble() then says why.
    int fd() const { return fd_.get(); }
    const std::string& trouble() const { return trouble_; }

    /// 0, or the errno of a request that could not leave. Never blocks.
    int send(const SocketAddress& to, std::uint16_t sequence, const EchoCookie& cookie);

    /// Hands every echo reply that has arrived to `take`, with its source. Replies that are not
    /// to this socket are left out. Never blocks.
    void receive(const std::function<void(const SocketAddress& from, const Echo&)>& take);

  private:
    IpVersion version_;
    UniqueFd fd_;
    bool raw_ = false;
    std::uint16_t id_ = 0;
    std::string trouble_;
};

/// True when both are the same host; ports do not count.
bool same_host(const SocketAddress& a, const SocketAddress& b);

}  // namespace domkeeper
