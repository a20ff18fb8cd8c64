// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lib/port/mover.hpp"

namespace domkeeper {

/// Moves domains by libvirt, led from here ("managed direct": this process asks both ends, and
/// the hosts send memory to each other). It needs no connection from host to host but the one
/// that the memory takes.
///
/// What ends with what: the connections ask each other every 3 s whether they live, so a call to
/// a host without power ends after some 12 s. move() waits for libvirt's own call to end, since
/// its last step may still reach the target: a copy that is let go late could hit a domain that
/// was started there meanwhile. Only half a minute after its deadline it leaves the call behind.
class LibvirtMover : public Mover {
  public:
    LibvirtMover();
    ~LibvirtMover() override;

    MoveFacts facts(const Host& host, const DomainView& domain, Deadline deadline) override;
    std::map<std::string, DeviceSight> sights(const Host& host,
                                              const std::vector<std::string>& devices,
                                              Deadline deadline) override;
    std::string move(const DomainRecord& domain, const Host& from, const Host& to, MoveWay way,
                     const MoveWatch& watch, Deadline deadline) override;
    SideState look(const DomainRecord& domain, const Host& host, Deadline deadline) override;
    void clean_up(const DomainRecord& domain, const Host& host, CleanUp what,
                  Deadline deadline) override;

  private:
    class Links;
    std::shared_ptr<Links> links_;
};

}  // namespace domkeeper
