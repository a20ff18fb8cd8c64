# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage node: tgtd with one target a guest, and the lockspace of the guests' leases."""

import os

from .layout import IQN, STORAGE
from .proc import PidFile, inside, run, spawn, wait_for

CONTROL = "7"
IMAGE_BYTES = 8 << 20


def _env(lab):
    return {**os.environ, "TGT_IPC_SOCKET": lab.path("storage", "tgtd.sock")}


def lockspace(lab):
    return lab.path("storage", "lockspace")


def up(lab):
    os.makedirs(lockspace(lab), exist_ok=True)
    for domain in lab.domains:
        with open(lab.image(domain), "ab") as image:
            image.truncate(IMAGE_BYTES)
        # virtlockd refuses a second holder only when the lease's file is there beforehand.
        open(os.path.join(lockspace(lab), domain), "a").close()
    pid = lab.path("pids", "tgtd")
    command = ("tgtd", "-f", "-C", CONTROL, "-t", "2", "--iscsi", f"portal={STORAGE}:3260")
    spawn(pid, lab.log("tgtd.log"), *inside(lab.ns("storage"), *command), env=_env(lab))
    admin = ("tgtadm", "-C", CONTROL, "--lld", "iscsi")

    def answers():
        probe = run(*admin, "--op", "show", "--mode", "sys", check=False, env=_env(lab))
        return "State: ready" in probe

    wait_for(answers, 10, f"tgtd does not answer, see {lab.log('tgtd.log')}")
    for number, domain in enumerate(lab.domains, 1):
        tid = ("--tid", str(number))
        for step in (
            ("new", "target", *tid, "-T", f"{IQN}:{domain}"),
            ("new", "logicalunit", *tid, "--lun", "1", "-b", lab.image(domain)),
            ("bind", "target", *tid, "-I", "ALL"),
        ):
            run(*admin, "--op", step[0], "--mode", *step[1:], env=_env(lab))


def down(lab):
    # tgtd ignores TERM while it has targets.
    PidFile(lab.path("pids", "tgtd")).kill()
