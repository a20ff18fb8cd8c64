// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/core/error.hpp"
#include "lib/core/text.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {
namespace {

/// A jumbo frame and some; of a longer one the kernel hands over the beginning.
constexpr std::size_t longest_frame = 10'240;
/// A flood must not keep us from looking at the clock.
constexpr int batch = 256;

void drop_net_raw() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    if (syscall(SYS_capget, &header, data.data()) != 0) return;
    const std::uint32_t keep = ~(std::uint32_t{1} << CAP_NET_RAW);
    data[0].effective &= keep;
    data[0].permitted &= keep;
    data[0].inheritable &= keep;
    syscall(SYS_capset, &header, data.data());
}

/// Lets the kernel close a socket in its own time. To close a packet socket it waits until no
/// processor can still be handing it a frame, for several ticks of its clock. A descriptor that is
/// nowhere but in a message to a socket that is nowhere but in that message too is collected by a
/// worker of the kernel (net/unix/garbage.c, since Linux 6.10); where it is not, nothing is lost.
void leave_to_kernel(UniqueFd socket) {
    if (!socket) return;
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return;
    UniqueFd from(pair[0]);
    UniqueFd to(pair[1]);
    const std::array<int, 2> sent{socket.get(), to.get()};
    char byte = 0;
    iovec text{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sent)> control{};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof sent);
    std::memcpy(CMSG_DATA(header), sent.data(), sizeof sent);
    // Refused, it is closed here, as any other.
    sendmsg(from.get(), &message, MSG_NOSIGNAL);
    // The collection begins when the last of these is closed, which must be none of those sent.
    socket.reset();
    to.reset();
    from.reset();
}

}  // namespace

NetworkInterface read_interface(const std::string& name) {
    ifreq request{};
    const std::string shown = "interface " + printable(name, 40);
    if (name.empty() || name.size() >= sizeof request.ifr_name)
        throw UsageError(shown + " is no name of an interface");
    std::copy(name.begin(), name.end(), std::begin(request.ifr_name));
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) throw SystemError(std::string("socket: ") + std::strerror(errno));
    NetworkInterface out;
    out.name = name;
    if (ioctl(fd.get(), SIOCGIFINDEX, &request) != 0)
        throw UsageError(shown + ": " + std::strerror(errno));
    out.index = request.ifr_ifindex;
    if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0)
        throw UsageError(shown + ": " + std::strerror(errno));
    out.up = (request.ifr_flags & IFF_UP) != 0;
    out.link = (request.ifr_flags & IFF_RUNNING) != 0;
    if (ioctl(fd.get(), SIOCGIFHWADDR, &request) != 0 ||
        request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        throw UsageError(shown + " is no Ethernet");
    std::memcpy(out.mac.data(), request.ifr_hwaddr.sa_data, out.mac.size());
    return out;
}

PacketSocket::PacketSocket() : buffer_(longest_frame) {
    // Without a protocol: with one, the kernel would tie the socket to it here and untie it again
    // in bind(), which takes milliseconds.
    fd_.reset(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) trouble_ = errno;
}

PacketSocket PacketSocket::open() {
    return PacketSocket();
}

PacketSocket PacketSocket::open_and_drop_privilege() {
    PacketSocket out;
    drop_net_raw();
    return out;
}

PacketSocket::~PacketSocket() {
    leave();
}

void PacketSocket::leave() {
    leave_to_kernel(UniqueFd(fd_.release()));
}

void PacketSocket::listen(std::uint16_t protocol) {
    if (!fd_) {
        const std::string text = std::string("packet socket: ") + std::strerror(trouble_);
        if (trouble_ == EPERM || trouble_ == EACCES)
            throw Denied(text + "; the program needs root or `setcap cap_net_raw+ep PROGRAM`");
        throw SystemError(text);
    }
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(protocol);
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw SystemError(std::string("packet socket: ") + std::strerror(errno));
}

int PacketSocket::send(int interface_index, std::span<const std::uint8_t> frame) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = interface_index;
    address.sll_halen = 6;
    std::copy_n(frame.begin(), std::min<std::size_t>(6, frame.size()),
                std::begin(address.sll_addr));
    for (;;) {
        if (sendto(fd_.get(), frame.data(), frame.size(), 0,
                   reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0)
            return 0;
        if (errno != EINTR) return errno;
    }
}

void PacketSocket::receive(Instant until,
                           const std::function<void(int, std::span<const std::uint8_t>)>& take) {
    for (;;) {
        bool any = false;
        for (int i = 0; i < batch; ++i) {
            sockaddr_ll from{};
            socklen_t length = sizeof from;
            const ssize_t got = recvfrom(fd_.get(), buffer_.data(), buffer_.size(), 0,
                                         reinterpret_cast<sockaddr*>(&from), &length);
            if (got < 0 && errno == EINTR) continue;
            // An interface that goes down leaves an error here; the rest of them still work.
            if (got < 0 && errno != EAGAIN) continue;
            if (got < 0) break;
            if (from.sll_pkttype == PACKET_OUTGOING) continue;
            any = true;
            take(from.sll_ifindex, {buffer_.data(), static_cast<std::size_t>(got)});
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::nanoseconds>(until - mono_now()).count();
        if (any || left <= 0) return;
        pollfd wait{fd_.get(), POLLIN, 0};
        const timespec time{left / 1'000'000'000, left % 1'000'000'000};
        ppoll(&wait, 1, &time, nullptr);
    }
}

}  // namespace domkeeper
