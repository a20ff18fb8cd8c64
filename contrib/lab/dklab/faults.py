# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that go wrong with a part of the lab. Each can be cleared again."""

import os

from . import bmc, hosts, net
from .layout import LabError
from .proc import inside, run

BLACK_HOLE = "10.77.0.66"


def _flag(lab, host, name, text):
    with open(lab.path("bmc", host, name), "w") as out:
        out.write(text)


def bmc_silent(lab, host, _):
    """The BMC takes packets and never answers."""
    bmc.stop(lab, host)


def bmc_dead(lab, host, _):
    """The BMC's cable is out."""
    net.set_cable(lab, f"b-{host}", "down")


def bmc_closed(lab, host, _):
    """Nothing listens on the BMC's port."""
    bmc.down(lab, host)


def bmc_password(lab, host, _):
    """The BMC has another password than the cluster file's secret."""
    bmc.down(lab, host)
    bmc.up(lab, host, password="changed-" + host)


def bmc_stuck(lab, host, _):
    """The BMC accepts off and on, and the host stays as it was."""
    _flag(lab, host, "stuck", "1\n")


def bmc_slow(lab, host, seconds):
    """The relay acts SECONDS (default 3) after the command."""
    _flag(lab, host, "slow", f"{float(seconds or 3)}\n")


def power_lost_with_bmc(lab, host, _):
    """Host and BMC lose their power in the same instant."""
    net.set_cable(lab, f"b-{host}", "down")
    hosts.cut(lab, host)
    bmc.down(lab, host)


def libvirtd_stopped(lab, host, _):
    """libvirtd hangs: it accepts connections and never answers."""
    hosts.signal_daemons(lab, host, "STOP")


def black_hole(lab, host, _):
    """10.77.0.66 on the management network swallows every packet, as a dead router does."""
    monitor = lab.ns("monitor")
    mac = "02:dc:00:00:00:66"
    command = ("ip", "neigh", "replace", BLACK_HOLE, "lladdr", mac, "nud", "permanent")
    run(*inside(monitor, *command, "dev", "mgmt0"))


FAULTS = {
    "bmc-silent": bmc_silent,
    "bmc-dead": bmc_dead,
    "bmc-closed": bmc_closed,
    "bmc-password": bmc_password,
    "bmc-stuck": bmc_stuck,
    "bmc-slow": bmc_slow,
    "power-lost-with-bmc": power_lost_with_bmc,
    "libvirtd-stopped": libvirtd_stopped,
    "black-hole": black_hole,
}


def make(lab, name, host, value=None):
    if name not in FAULTS:
        raise LabError(f"no fault {name}; there are {', '.join(FAULTS)}")
    lab.number(host)  # refuses a host that is not there
    FAULTS[name](lab, host, value)


def clear(lab, host):
    """Undoes every fault of a host (its own state, on or off, stays)."""
    for name in ("stuck", "slow"):
        path = lab.path("bmc", host, name)
        if os.path.exists(path):
            os.unlink(path)
    net.set_cable(lab, f"b-{host}", "up")
    bmc.go_on(lab, host)
    bmc.down(lab, host)
    bmc.up(lab, host)
    hosts.signal_daemons(lab, host, "CONT")
