// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lib/port/xen.hpp"

namespace domkeeper {

/// The hypervisor through libxenctrl. Opened anew for each call, which costs some 50 us.
class Xenctrl : public Xen {
  public:
    std::vector<XenDomain> domains(Deadline deadline) override;
    XenView read(Deadline deadline) override;
    std::string messages(Deadline deadline) override;
};

}  // namespace domkeeper
