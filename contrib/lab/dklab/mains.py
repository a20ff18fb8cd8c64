# SPDX-License-Identifier: GPL-3.0-or-later
"""The mains switch of each host, and the process that is the host."""

import os

from .layout import HERE
from .proc import PidFile, run


def power(lab, host, what):
    """Switches a host "on" or "off", or tells by "get" whether it is on: "1" or "0"."""
    lab.number(host)  # refuses a host that is not there
    return run(os.path.join(HERE, "power"), lab.dir, host, what).strip()


def alive(lab, host):
    return power(lab, host, "get") == "1"


def pid_file(lab, host):
    return PidFile(lab.path("hosts", host, "pid"))


def write_switch(lab, host, *boot, renew=()):
    """What the switch has to know of a host: its cables, the command that boots it, and commands that
    do away beforehand with what a lost power would not have left (when it was on before)."""
    path = lab.path("hosts", host, "cables")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    words = " ".join(f"'{word}'" for word in boot)
    with open(path, "w") as out:
        out.write(f"net_ns={lab.ns('net')}\nports='m-{host} s-{host}'\nboot=({words})\n")
        out.write("renew() {\n" + "".join(f"    {line}\n" for line in (*renew, ":")) + "}\n")
