# SPDX-License-Identifier: GPL-3.0-or-later
"""The barest handler there can be, as the measure of what the hardware and libvirt cost."""

import os
import shutil

from . import cluster, domains, hosts
from .layout import BMC_USER, HERE
from .monitor import own


def folder(lab):
    return lab.path("floor")


def command(lab):
    """The handler's command line for Nagios."""
    program = os.path.join(folder(lab), "handler")
    return f"{program} {folder(lab)} '$HOSTNAME$' '$HOSTSTATE$' '$HOSTSTATETYPE$'"


def prepare(lab):
    """Writes what the handler needs to know, from where the domains run now."""
    home = folder(lab)
    os.makedirs(home, exist_ok=True)
    shutil.copy(os.path.join(HERE, "floor"), os.path.join(home, "handler"))
    running = cluster.where(lab)
    for host in lab.hosts:
        with open(f"{home}/{host}.bmc", "w") as out:
            out.write(f"{lab.bmc_address(host)} {BMC_USER}\n")
        secret = f"{home}/{host}.password"
        with open(os.open(secret, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            out.write(f"password {lab.passwords[host]}\n")
        others = [h for h in lab.hosts if h != host and hosts.alive(lab, h)]
        here = [d for d, at in running.items() if host in at]
        if lab.kind == "xen":  # as starts_per_host in domkeeper's cluster file
            open(f"{home}/one-by-one", "w").close()
        with open(f"{home}/{host}.moves", "w") as out:
            for number, domain in enumerate(here):
                target = others[number % len(others)]
                out.write(f"{lab.uri(target)} {domains.xml_path(lab, domain)}\n")
    own(home)


def events(lab):
    """The handler's log as (time in s since 1970, host, words)."""
    try:
        with open(os.path.join(folder(lab), "log")) as text:
            lines = [line.split() for line in text]
    except FileNotFoundError:
        return []
    return [(float(words[0]), words[1], words[2:]) for words in lines]
