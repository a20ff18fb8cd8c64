// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "lib/core/domain.hpp"

namespace domkeeper {

/// What is the matter with a domain that should run, from what its host shows.
enum class Ailment {
    None,        ///< it runs; whether its guest does its work is another question
    Crashed,     ///< it ended without anybody's will, and is off
    Panicked,    ///< it crashed and is kept: it has to be ended before it can be started
    WatchedOut,  ///< the guest's own watchdog stopped it: it hung
    IoError,     ///< it stands still on an I/O error, and can go on
    ShutDown,    ///< its guest was shut down: from inside, or asked from outside
    ByHand,      ///< somebody ended or stopped it, and knows why
    Passing,     ///< on its way to something else
    Absent,      ///< the host does not know it
    Unclear,     ///< the host can't say
};

struct Diagnosis {
    Ailment ailment = Ailment::Unclear;
    std::string text;  ///< "shut off (guest crashed)"; printable
};

/// From the domain's view on its host; null: the host answers and does not know it. `stopped_here`:
/// domkeeper itself ended it, so that "destroyed" is nobody's will; `persistent`: as recorded,
/// since one that was not is forgotten by its host when it ends.
///
/// The reasons are those of libvirt (virDomainShutoffReason, virDomainPausedReason), as
/// lib/io/libvirt_reasons words them. "crashed" as the reason of an end is given to a QEMU process
/// that went without a word (killed, out of memory), and by libxl to a guest that crashed.
Diagnosis diagnose(const DomainView* view, bool stopped_here, bool persistent);

}  // namespace domkeeper
