# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage node: a target of tgtd or a vblade a guest, and the lockspace of the guests' leases."""

import os

from .layout import IQN, STORAGE
from .proc import PidFile, inside, run, spawn, wait_for

CONTROL = "7"
IMAGE_BYTES = 8 << 20
ADMIN = ("tgtadm", "-C", CONTROL, "--lld", "iscsi")


def _env(lab):
    return {**os.environ, "TGT_IPC_SOCKET": lab.path("storage", "tgtd.sock")}


def lockspace(lab):
    return lab.path("storage", "lockspace")


def up(lab):
    os.makedirs(lockspace(lab), exist_ok=True)
    pid = lab.path("pids", "tgtd")
    command = ("tgtd", "-f", "-C", CONTROL, "-t", "2", "--iscsi", f"portal={STORAGE}:3260")
    spawn(pid, lab.log("tgtd.log"), *inside(lab.ns("storage"), *command), env=_env(lab))

    def answers():
        probe = run(*ADMIN, "--op", "show", "--mode", "sys", check=False, env=_env(lab))
        return "State: ready" in probe

    wait_for(answers, 10, f"tgtd does not answer, see {lab.log('tgtd.log')}")
    for domain in lab.domains:
        export(lab, domain)


def export(lab, domain):
    """Gives a domain its disk on the network."""
    with open(lab.image(domain), "ab") as image:
        image.truncate(IMAGE_BYTES)
    # virtlockd refuses a second holder only when the lease's file is there beforehand.
    open(os.path.join(lockspace(lab), domain), "a").close()
    if lab.disks[domain] == "aoe":
        shelf, slot = (str(number) for number in lab.aoe_address(domain))
        command = ("vblade", shelf, slot, "san0", lab.image(domain))
        log = lab.log(f"vblade-{domain}.log")
        spawn(_vblade(lab, domain).path, log, *inside(lab.ns("storage"), *command))
        return
    tid = ("--tid", str(lab.domains.index(domain) + 1))
    for step in (
        ("new", "target", *tid, "-T", f"{IQN}:{domain}"),
        ("new", "logicalunit", *tid, "--lun", "1", "-b", lab.image(domain)),
        ("bind", "target", *tid, "-I", "ALL"),
    ):
        run(*ADMIN, "--op", step[0], "--mode", *step[1:], env=_env(lab))


def _vblade(lab, domain):
    return PidFile(lab.path("pids", "vblade-" + domain))


def down(lab):
    # tgtd ignores TERM while it has targets.
    PidFile(lab.path("pids", "tgtd")).kill()
    for domain in lab.domains:
        _vblade(lab, domain).kill()
