// SPDX-License-Identifier: GPL-3.0-or-later
#include "lib/io/libvirt_opening.hpp"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "lib/core/uri.hpp"
#include "lib/io/bounded.hpp"

namespace domkeeper {

LibvirtOpening::LibvirtOpening(std::string uri, LibvirtOptions options)
    : by_ssh_(uri_uses_ssh(uri)), thread_(std::make_shared<std::atomic<int>>(0)) {
    result_ = start_detached([uri = std::move(uri), options, thread = thread_] {
        *thread = gettid();
        return LibvirtConnection::open(uri, options);
    });
}

void LibvirtOpening::give_up() const {
    if (!by_ssh_ || !thread_ || *thread_ == 0) return;
    // The children that this very thread forked (proc(5)). As long as libvirt has not waited for
    // them their numbers are not used again.
    std::ifstream children("/proc/self/task/" + std::to_string(thread_->load()) + "/children");
    for (pid_t child = 0; children >> child;) kill(child, SIGKILL);
}

}  // namespace domkeeper
