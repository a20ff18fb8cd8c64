# SPDX-License-Identifier: GPL-3.0-or-later
"""A BMC for each host: OpenIPMI's ipmi_sim, wired to the host's mains switch."""

import os
import signal

from .layout import BMC_USER, HERE
from .proc import PidFile, inside, spawn

LAN = """name "{host}"
set_working_mc 0x20
  startlan 1
    addr {address} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa1234567890000{number:02d}
  endlan
  chassis_control "{power} --bmc {dir} {host}"
  user 1 false "" "" admin 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
EMU = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


def _pid(lab, host):
    return PidFile(lab.path("pids", "bmc-" + host))


def up(lab, host, password=None):
    home = lab.path("bmc", host)
    os.makedirs(home + "/state", exist_ok=True)
    values = {
        "host": host,
        "address": lab.bmc_address(host),
        "number": lab.number(host),
        "power": os.path.join(HERE, "power"),
        "dir": lab.dir,
        "user": BMC_USER,
        "password": password or lab.passwords[host],
    }
    with open(os.open(home + "/lan.conf", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        out.write(LAN.format(**values))
    with open(home + "/bmc.emu", "w") as out:
        out.write(EMU)
    command = ("ipmi_sim", "-c", home + "/lan.conf", "-f", home + "/bmc.emu", "-s", home + "/state")
    spawn(
        _pid(lab, host).path,
        lab.log(f"bmc-{host}.log"),
        *inside(lab.ns("bmc-" + host), *command, "-n"),
    )


def down(lab, host):
    _pid(lab, host).kill()


def stop(lab, host):
    """The BMC takes packets and never answers."""
    _pid(lab, host).signal(signal.SIGSTOP)


def go_on(lab, host):
    _pid(lab, host).signal(signal.SIGCONT)
