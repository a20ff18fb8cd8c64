// SPDX-License-Identifier: GPL-3.0-or-later
// A host that writes to an iSCSI disk without pause: registers its key (or not, when it is 0) and
// writes the number N to block N, one after another, each once it was taken. Prints "TIME N wrote"
// or "TIME N REASON", with the time since the machine's start.
// Usage: iscsi_host PORTAL TARGET LUN KEY INITIATOR SESSION
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

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
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
            session.command(lun, scsi_reserve_out(ReserveOut::Reserve, write_exclusive_all, key, 0),
                            soon());
        }
        for (std::uint64_t number = 1;;) {
            const ScsiReply reply = session.command(lun, write_block(number), soon());
            std::printf("%.6f %llu %s\n",
                        std::chrono::duration<double>(mono_now().time_since_epoch()).count(),
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
