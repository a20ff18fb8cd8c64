// SPDX-License-Identifier: GPL-3.0-or-later
// A host that writes to an iSCSI disk without pause: registers its key (or not, when it is 0) and
// writes the number N to block N, one after another, each once it was taken. Prints "TIME N wrote"
// or "TIME N REASON", with the time since the machine's start at which it was sent. With a SOCKET
// it also does the SCSI commands that sg_stand_in brings, on its own session, as a kernel would for
// SG_IO. It reserves by TYPE (SPC-4, table 64), 7 if left out. Usage: iscsi_host PORTAL TARGET LUN
// KEY INITIATOR SESSION [SOCKET [TYPE]]
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "lib/core/error.hpp"
#include "lib/io/bounded.hpp"
#include "lib/io/iscsi_session.hpp"

namespace {

using namespace domkeeper;

ScsiCommand write_block(std::uint64_t number) {
    ScsiCommand out{.cdb = std::vector<std::uint8_t>(16), .data = std::vector<std::uint8_t>(512)};
    out.cdb[0] = 0x8A;
    for (unsigned i = 0; i < 8; ++i)
        out.cdb[2 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    out.cdb[13] = 1;
    std::memcpy(out.data.data(), &number, sizeof number);
    return out;
}

/// A socket that does not wait, or -1.
int listen_at(const char* path) {
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
    return listen(fd, 8) == 0 ? fd : -1;
}

/// One command of whoever has come: the length of its CDB in a byte, the CDB, and what goes with
/// it. The answer is status, sense key, ASC and ASCQ.
void serve_one(int listening, IscsiSession& session, int lun, Deadline deadline) {
    const int peer = accept(listening, nullptr, nullptr);
    if (peer < 0) return;
    std::vector<std::uint8_t> in(4096);
    const ssize_t got = read(peer, in.data(), in.size());
    if (got > 1 && got > in[0]) {
        const auto data = in.begin() + 1 + in[0];
        ScsiCommand command;
        command.cdb.assign(in.begin() + 1, data);
        command.data.assign(data, in.begin() + got);
        const ScsiReply reply = session.command(lun, command, deadline);
        const ScsiSense sense = reply.sense.value_or(ScsiSense{});
        const std::uint8_t out[] = {reply.status, sense.key, sense.asc, sense.ascq};
        if (write(peer, out, sizeof out) < 0) std::perror("iscsi_host");
    }
    close(peer);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7 || argc > 9) return 2;
    try {
        IscsiLogin login;
        parse_portal(argv[1], login);
        login.target = argv[2];
        const int lun = std::atoi(argv[3]);
        const std::uint64_t key = std::strtoull(argv[4], nullptr, 0);
        login.initiator = argv[5];
        login.session = static_cast<std::uint32_t>(std::atoi(argv[6]));
        const auto soon = [] { return Deadline{mono_now() + Duration{5000}}; };
        IscsiSession session(login, soon());
        if (key != 0) {
            session.command(lun, scsi_reserve_out(ReserveOut::RegisterAndIgnore, 0, 0, key),
                            soon());
            const auto type = static_cast<std::uint8_t>(argc == 9 ? std::atoi(argv[8])
                                                                  : int{write_exclusive_all});
            session.command(lun, scsi_reserve_out(ReserveOut::Reserve, type, key, 0), soon());
        }
        const bool serves = argc > 7 && argv[7][0] != '\0';
        const int listening = serves ? listen_at(argv[7]) : -1;
        if (serves && listening < 0) return 2;
        for (std::uint64_t number = 1;;) {
            if (listening >= 0) serve_one(listening, session, lun, soon());
            const Instant sent = mono_now();
            const ScsiReply reply = session.command(lun, write_block(number), soon());
            std::printf("%.6f %llu %s\n",
                        std::chrono::duration<double>(sent.time_since_epoch()).count(),
                        static_cast<unsigned long long>(number),
                        reply.good() ? "wrote" : reply.text().c_str());
            std::fflush(stdout);
            if (reply.good()) ++number;
            std::this_thread::sleep_for(std::chrono::milliseconds(reply.good() ? 1 : 5));
        }
    } catch (const Error& error) {
        std::printf("ended: %s\n", error.what());
        return 1;
    }
}
